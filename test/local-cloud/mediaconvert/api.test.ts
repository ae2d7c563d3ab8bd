import { mkdirSync } from 'node:fs';
import {
  CancelJobCommand,
  CreateJobCommand,
  type CreateJobCommandInput,
  DescribeEndpointsCommand,
  GetJobCommand,
  type Job,
  ListJobsCommand,
  MediaConvertClient,
  ProbeCommand,
  SearchJobsCommand,
} from '@aws-sdk/client-mediaconvert';
import { AwsClient } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ffmpeg, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { type Cloud, CREDENTIALS, REGION, startCloud } from './harness.ts';
import { cmafGroup, finished, ladderJob, ROLE, videoOutput } from './jobs.ts';
import { makeClip } from './media.ts';

let ffmpeg: Ffmpeg;
let cloud: Cloud;
let nowMs = Date.now();

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  cloud = await startCloud({ ffmpeg, now: () => new Date(nowMs) });
  mkdirSync(cloud.store.path('raw', 'uploads'));
  await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/film.mp4'), { seconds: 1 });
});
afterAll(() => cloud.close());

const small = (overrides: Partial<CreateJobCommandInput> = {}): CreateJobCommandInput => ({
  ...ladderJob({}, [cmafGroup('s3://vod/api/', [videoOutput('_v', 160, 90)])]),
  ...overrides,
});

async function create(overrides: Partial<CreateJobCommandInput> = {}): Promise<Job> {
  const { Job: job } = await cloud.client.send(new CreateJobCommand(small(overrides)));
  if (!job) throw new Error('no job');
  return job;
}

describe('signatures', () => {
  const clientWith = (overrides: { secretAccessKey?: string; accessKeyId?: string }, region = REGION) =>
    new MediaConvertClient({
      region,
      endpoint: cloud.url,
      credentials: { ...CREDENTIALS, ...overrides },
      maxAttempts: 1,
    });
  const list = new ListJobsCommand({});

  it('with a wrong secret, an unknown key or another region are refused', async () => {
    await expect(clientWith({ secretAccessKey: 'wrong' }).send(list)).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      $metadata: { httpStatusCode: 403 },
    });
    await expect(clientWith({ accessKeyId: 'AKIAUNKNOWN' }).send(list)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    await expect(clientWith({}, 'eu-west-1').send(list)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('for another service, over another body or missing altogether are refused', async () => {
    const url = `${cloud.url}/2017-08-29/jobs`;
    const signer = new AwsClient({ ...CREDENTIALS, region: REGION, service: 's3', retries: 0 });
    expect((await signer.fetch(url)).status).toBe(400);
    expect((await fetch(url)).status).toBe(403);
    const right = new AwsClient({ ...CREDENTIALS, region: REGION, service: 'mediaconvert', retries: 0 });
    const signed = await right.sign(url, { method: 'POST', body: '{}' });
    expect((await fetch(url, { method: 'POST', headers: signed.headers, body: '{"a":1}' })).status).toBe(403);
  });

  it('made by aws4fetch, as the Worker makes them, are accepted', async () => {
    const signer = new AwsClient({ ...CREDENTIALS, region: REGION, service: 'mediaconvert', retries: 0 });
    const response = await signer.fetch(`${cloud.url}/2017-08-29/jobs?maxResults=1`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ jobs: [] });
  });
});

describe('jobs', () => {
  it('are created with 201, found by id and end up complete', async () => {
    const response = await cloud.client.send(new CreateJobCommand(small()));
    expect(response.$metadata.httpStatusCode).toBe(201);
    const created = response.Job;
    expect(created).toMatchObject({ Status: 'SUBMITTED', Role: ROLE, Priority: 0 });
    expect(created?.Id).toMatch(/^\d{13}-[a-z0-9]{6}$/);
    expect(created?.Arn).toBe(`arn:aws:mediaconvert:us-east-1:111122223333:jobs/${created?.Id}`);
    expect(created?.CreatedAt?.getTime()).toBe(Math.floor(nowMs / 1000) * 1000);
    const job = await finished(cloud, created?.Id);
    expect(job).toMatchObject({ Status: 'COMPLETE', UserMetadata: { videoId: 'vid_1', attempt: '1' } });
    expect(job.Settings).toEqual(created?.Settings);
  });

  it('that do not exist are NotFoundException', async () => {
    await expect(cloud.client.send(new GetJobCommand({ Id: '1700000000000-abc123' }))).rejects.toMatchObject({
      name: 'NotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(cloud.client.send(new CancelJobCommand({ Id: '../../etc' }))).rejects.toMatchObject({
      name: 'NotFoundException',
    });
  });

  it('that are finished cannot be cancelled', async () => {
    const job = await create();
    await finished(cloud, job.Id);
    await expect(cloud.client.send(new CancelJobCommand({ Id: job.Id }))).rejects.toMatchObject({
      name: 'ConflictException',
      $metadata: { httpStatusCode: 409 },
    });
  });

  it('asked for twice with one token within a minute are one job, later they are two', async () => {
    const token = { ClientRequestToken: 'vid_1-1' };
    const [first, second] = await Promise.all([create(token), create(token)]);
    expect(second.Id).toBe(first.Id);
    await finished(cloud, first.Id);
    expect((await create(token)).Id).toBe(first.Id);
    nowMs += 61_000;
    const third = await create(token);
    expect(third.Id).not.toBe(first.Id);
    await finished(cloud, third.Id);
  });
});

describe('lists', () => {
  it('go through all jobs page by page in either order, each job once', async () => {
    for (let index = 0; index < 3; index += 1) {
      nowMs += 1000;
      await finished(cloud, (await create()).Id);
    }
    const collect = async (order: 'ASCENDING' | 'DESCENDING'): Promise<string[]> => {
      const ids: string[] = [];
      let token: string | undefined;
      do {
        const page: { Jobs?: Job[] | undefined; NextToken?: string | undefined } = await cloud.client.send(
          new ListJobsCommand({ MaxResults: 2, Order: order, ...(token ? { NextToken: token } : {}) }),
        );
        expect(page.Jobs?.length).toBeLessThanOrEqual(2);
        ids.push(...(page.Jobs ?? []).map((job) => job.Id ?? ''));
        token = page.NextToken;
      } while (token);
      return ids;
    };
    const newestFirst = await collect('DESCENDING');
    expect(newestFirst.length).toBeGreaterThanOrEqual(6);
    expect(new Set(newestFirst).size).toBe(newestFirst.length);
    expect(await collect('ASCENDING')).toEqual(newestFirst.reverse());
  });

  it('filter by status, queue and input', async () => {
    const other = await create({ Queue: 'Overflow' });
    await finished(cloud, other.Id);
    const byQueue = await cloud.client.send(new ListJobsCommand({ Queue: 'Overflow' }));
    expect(byQueue.Jobs?.map((job) => job.Id)).toEqual([other.Id]);
    expect((await cloud.client.send(new ListJobsCommand({ Status: 'ERROR' }))).Jobs).toEqual([]);
    const found = await cloud.client.send(new SearchJobsCommand({ InputFile: 'FILM', MaxResults: 1 }));
    expect(found.Jobs).toHaveLength(1);
    expect((await cloud.client.send(new SearchJobsCommand({ InputFile: 'nothing' }))).Jobs).toEqual([]);
  });

  it.each(['maxResults=0', 'maxResults=21', 'status=DONE', 'order=UP', 'nextToken=abc', 'unknown=1'])(
    'refuse %s',
    async (query) => {
      const signer = new AwsClient({ ...CREDENTIALS, region: REGION, service: 'mediaconvert', retries: 0 });
      const response = await signer.fetch(`${cloud.url}/2017-08-29/jobs?${query}`);
      expect(response.status).toBe(400);
      expect(response.headers.get('x-amzn-errortype')).toBe('BadRequestException');
    },
  );
});

describe('the other operations', () => {
  it('describe a media file', async () => {
    await makeClip(ffmpeg, cloud.store.path('raw', 'uploads/turned.mov'), {
      rotation: -90,
      rate: '30000/1001',
    });
    const probe = await cloud.client.send(
      new ProbeCommand({ InputFiles: [{ FileUrl: 's3://raw/uploads/turned.mov' }] }),
    );
    const [result] = probe.ProbeResults ?? [];
    expect(result?.Container).toMatchObject({ Format: 'quicktime' });
    expect(result?.Container?.Duration).toBeCloseTo(2, 1);
    const [video, audio] = result?.Container?.Tracks ?? [];
    expect(video).toMatchObject({
      Index: 1,
      TrackType: 'video',
      Codec: 'AVC',
      VideoProperties: {
        Width: 320,
        Height: 180,
        Rotation: 90,
        FrameRate: { Numerator: 30000, Denominator: 1001 },
      },
    });
    expect(audio).toMatchObject({
      TrackType: 'audio',
      Codec: 'AAC',
      AudioProperties: { Channels: 1, SampleRate: 48000 },
    });
    expect(result?.Metadata?.FileSize).toBeGreaterThan(1000);
    expect(result?.Metadata?.MimeType).toBe('video/quicktime');
    expect(result?.TrackMappings).toEqual([
      { VideoTrackIndexes: [1], AudioTrackIndexes: [2], DataTrackIndexes: [] },
    ]);
  });

  it('say when a file to probe is missing or is not media', async () => {
    cloud.store.put('raw', 'uploads/note.txt', 'not media');
    const probe = (FileUrl: string) => cloud.client.send(new ProbeCommand({ InputFiles: [{ FileUrl }] }));
    await expect(probe('s3://raw/uploads/none.mp4')).rejects.toMatchObject({ name: 'NotFoundException' });
    await expect(probe('s3://raw/uploads/note.txt')).rejects.toMatchObject({ name: 'BadRequestException' });
    await expect(probe('https://example.com/a.mp4')).rejects.toMatchObject({ name: 'BadRequestException' });
  });

  it('name the endpoint, and nothing else exists', async () => {
    const { Endpoints } = await cloud.client.send(new DescribeEndpointsCommand({}));
    expect(Endpoints).toEqual([{ Url: cloud.url }]);
    const signer = new AwsClient({ ...CREDENTIALS, region: REGION, service: 'mediaconvert', retries: 0 });
    expect((await signer.fetch(`${cloud.url}/2017-08-29/presets`)).status).toBe(404);
    expect((await fetch(`${cloud.url}/other`)).status).toBe(418);
  });
});
