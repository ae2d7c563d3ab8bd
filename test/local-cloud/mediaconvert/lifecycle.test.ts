import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  CancelJobCommand,
  CreateJobCommand,
  type CreateJobCommandInput,
  GetJobCommand,
  type JobStatus,
  MediaConvertClient,
} from '@aws-sdk/client-mediaconvert';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';
import { type Ffmpeg, livingChildren, locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { isRunning } from '../../support/node/processes.ts';
import { newDirectory } from './directories.ts';
import {
  type Cloud,
  type CloudOptions,
  CREDENTIALS,
  type FolderStore,
  folderStore,
  REGION,
  startCloud,
  until,
} from './harness.ts';
import { cmafGroup, ended, finished, ladderJob, videoOutput } from './jobs.ts';
import { decodeStrictly, makeClip } from './media.ts';
import { concatenate } from './playback.ts';

let ffmpeg: Ffmpeg;
let store: FolderStore;
const open: Cloud[] = [];

beforeAll(async () => {
  ffmpeg = await locateFfmpeg();
  store = folderStore();
  mkdirSync(store.path('raw', 'uploads'));
  await makeClip(ffmpeg, store.path('raw', 'uploads/film.mp4'), { seconds: 1 });
  await makeClip(ffmpeg, store.path('raw', 'uploads/long.mp4'), { seconds: 12, size: '160x90' });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((cloud) => cloud.close()));
});

async function cloudWith(options: Omit<CloudOptions, 'ffmpeg'> = {}): Promise<Cloud> {
  const cloud = await startCloud({ ffmpeg, store, ...options });
  open.push(cloud);
  return cloud;
}

/** A second of work or less. */
const quick = (destination: string): CreateJobCommandInput =>
  ladderJob({}, [cmafGroup(destination, [videoOutput('_v', 160, 90)])]);

/** An encoder setting under which `slow` jobs take seconds even on a fast machine. */
const UNHURRIED = { preset: 'slower' };

/** Much work: a film enlarged far beyond its size. */
function slow(destination: string): CreateJobCommandInput {
  const output = videoOutput('_v', 1280, 720);
  const enlarged = {
    ...output,
    VideoDescription: { ...output.VideoDescription, ScalingBehavior: 'FIT' as const },
  };
  return ladderJob({ FileInput: 's3://raw/uploads/long.mp4' }, [cmafGroup(destination, [enlarged])]);
}

async function create(cloud: Cloud, input: CreateJobCommandInput): Promise<string> {
  const { Job: job } = await cloud.client.send(new CreateJobCommand(input));
  return job?.Id ?? '';
}

async function statusOf(cloud: Cloud, id: string): Promise<JobStatus | undefined> {
  const { Job: job } = await cloud.client.send(new GetJobCommand({ Id: id }));
  return job?.Status;
}

/** The emulator as a process of its own, which can be killed. */
const SERVER = fileURLToPath(new URL('./standalone.ts', import.meta.url));

/** Where the ffmpeg that works on a job is noted. */
function noteOf(cloud: Cloud, id: string): string {
  const work = join(cloud.dataDir, 'work');
  return join(work, readdirSync(work).find((name) => name.startsWith(id)) ?? '', 'ffmpeg.json');
}

type Progress = { jobPercentComplete: number; currentPhase: string };
const progressOf = (cloud: Cloud, id: string): Progress[] =>
  cloud.events
    .filter((event) => event.detail.jobId === id && event.detail.status === 'STATUS_UPDATE')
    .map((event) => event.detail.jobProgress as Progress);

const encoding = (cloud: Cloud, id: string) =>
  until(() =>
    progressOf(cloud, id).find((p) => p.currentPhase === 'TRANSCODING' && p.jobPercentComplete > 2),
  );

const countOf = (clouds: Cloud[], id: string, status: string): number =>
  clouds.flatMap((cloud) => cloud.statuses(id)).filter((candidate) => candidate === status).length;

const keysUnder = (prefix: string): string[] => store.keys('vod').filter((key) => key.startsWith(prefix));

describe('progress', () => {
  it('is told in events that only ever go up, phase by phase', async () => {
    const cloud = await cloudWith();
    const id = await create(cloud, quick('s3://vod/progress/'));
    await ended(cloud, id);
    const statuses = cloud.statuses(id);
    expect(statuses[0]).toBe('PROGRESSING');
    expect(statuses.at(-1)).toBe('COMPLETE');
    expect(statuses).toContain('INPUT_INFORMATION');
    const progress = progressOf(cloud, id);
    const percentages = progress.map((p) => p.jobPercentComplete);
    expect(percentages).toEqual([...percentages].sort((a, b) => a - b));
    expect([...new Set(progress.map((p) => p.currentPhase))]).toEqual([
      'PROBING',
      'TRANSCODING',
      'UPLOADING',
    ]);
  });

  it('events carry the envelope and the details that EventBridge sends', async () => {
    const cloud = await cloudWith();
    const id = await create(cloud, quick('s3://vod/envelope/'));
    await ended(cloud, id);
    const arn = `arn:aws:mediaconvert:us-east-1:111122223333:jobs/${id}`;
    for (const event of cloud.events) {
      expect(event).toMatchObject({
        version: '0',
        'detail-type': 'MediaConvert Job State Change',
        source: 'aws.mediaconvert',
        account: '111122223333',
        region: 'us-east-1',
        resources: [arn],
        detail: {
          accountId: '111122223333',
          jobId: id,
          queue: 'arn:aws:mediaconvert:us-east-1:111122223333:queues/Default',
          userMetadata: { videoId: 'vid_1', attempt: '1' },
        },
      });
      expect(event.id).toMatch(/^[0-9a-f-]{36}$/);
      expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(Number.isInteger(event.detail.timestamp)).toBe(true);
    }
    expect(new Set(cloud.events.map((event) => event.id)).size).toBe(cloud.events.length);
    const detailOf = (status: string) => cloud.events.find((event) => event.detail.status === status)?.detail;
    expect(detailOf('INPUT_INFORMATION')?.inputDetails).toMatchObject([
      {
        uri: 's3://raw/uploads/film.mp4',
        audio: [{ codec: 'AAC', channels: 1, sampleRate: 48000 }],
        video: [{ codec: 'H_264', width: 320, height: 180, frameRate: 25 }],
      },
    ]);
    expect(detailOf('STATUS_UPDATE')?.jobProgress).toMatchObject({
      retryCount: 0,
      phaseProgress: { PROBING: {}, TRANSCODING: {}, UPLOADING: {} },
    });
    expect(detailOf('COMPLETE')?.outputGroupDetails).toMatchObject([
      {
        type: 'CMAF_GROUP',
        playlistFilePaths: ['s3://vod/envelope/film.mpd', 's3://vod/envelope/film.m3u8'],
        outputDetails: [{ durationInMs: 1000, videoDetails: { widthInPx: 160, heightInPx: 90 } }],
      },
    ]);
  });

  it('can be sparser, down to no status update at all', async () => {
    const cloud = await cloudWith({ statusUpdateIntervalMs: 60_000 });
    const id = await create(cloud, quick('s3://vod/sparse/'));
    await ended(cloud, id);
    expect(cloud.statuses(id)).toEqual(['PROGRESSING', 'INPUT_INFORMATION', 'COMPLETE']);
  });
});

describe('cancelling', () => {
  it('an encoding job kills ffmpeg and leaves nothing behind', async () => {
    const cloud = await cloudWith(UNHURRIED);
    const id = await create(cloud, slow('s3://vod/cancelled/'));
    await encoding(cloud, id);
    expect(livingChildren()).toBe(1);
    const response = await cloud.client.send(new CancelJobCommand({ Id: id }));
    expect(response.$metadata.httpStatusCode).toBe(202);
    expect(livingChildren()).toBe(0);
    expect(await statusOf(cloud, id)).toBe('CANCELED');
    expect(cloud.statuses(id).at(-1)).toBe('CANCELED');
    expect(cloud.statuses(id)).not.toContain('COMPLETE');
    expect(keysUnder('cancelled/')).toEqual([]);
    expect(readdirSync(join(cloud.dataDir, 'work'))).toEqual([]);
  });

  it('a job in the middle of its upload takes back what was uploaded', async () => {
    let uploaded = 0;
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const cloud = await cloudWith({
      objectStore: {
        ...store,
        async putFile(...args) {
          await store.putFile(...args);
          uploaded += 1;
          if (uploaded === 2) await gate;
        },
      },
    });
    const id = await create(cloud, quick('s3://vod/halfway/'));
    await until(() => (uploaded === 2 ? true : undefined));
    expect(keysUnder('halfway/')).toHaveLength(2);
    const cancelling = cloud.client.send(new CancelJobCommand({ Id: id }));
    await new Promise((resolve) => setTimeout(resolve, 500));
    release();
    await cancelling;
    expect(await statusOf(cloud, id)).toBe('CANCELED');
    expect(keysUnder('halfway/')).toEqual([]);
  });

  it('a waiting job means that it never starts', async () => {
    const cloud = await cloudWith(UNHURRIED);
    const first = await create(cloud, slow('s3://vod/first/'));
    const second = await create(cloud, quick('s3://vod/second/'));
    await cloud.client.send(new CancelJobCommand({ Id: second }));
    expect(cloud.statuses(second)).toEqual(['CANCELED']);
    await cloud.client.send(new CancelJobCommand({ Id: first }));
    expect(keysUnder('second/')).toEqual([]);
  });
});

describe('an ffmpeg that is killed', () => {
  it('ends its job as an error with a code of its own, and the next job runs', async () => {
    const cloud = await cloudWith(UNHURRIED);
    const id = await create(cloud, slow('s3://vod/killed/'));
    const next = await create(cloud, quick('s3://vod/next/'));
    await encoding(cloud, id);
    const note = JSON.parse(readFileSync(noteOf(cloud, id), 'utf8'));
    process.kill(note.pid, 'SIGKILL');
    const job = await ended(cloud, id);
    expect(job).toMatchObject({
      Status: 'ERROR',
      ErrorCode: 1999,
      ErrorMessage: 'The transcoding engine stopped: [ffmpeg was killed by SIGKILL]',
    });
    const event = cloud.events.find(({ detail }) => detail.jobId === id && detail.status === 'ERROR');
    expect(event?.detail).toMatchObject({ errorCode: 1999, errorMessage: job.ErrorMessage });
    expect(keysUnder('killed/')).toEqual([]);
    expect(await finished(cloud, next)).toMatchObject({ Status: 'COMPLETE' });
  });
});

describe('the queue', () => {
  it('runs one job at a time, the highest priority first', async () => {
    const cloud = await cloudWith(UNHURRIED);
    const running = await create(cloud, slow('s3://vod/running/'));
    const low = await create(cloud, { ...quick('s3://vod/low/'), Priority: -1 });
    const high = await create(cloud, { ...quick('s3://vod/high/'), Priority: 5 });
    await encoding(cloud, running);
    expect([await statusOf(cloud, low), await statusOf(cloud, high)]).toEqual(['SUBMITTED', 'SUBMITTED']);
    await cloud.client.send(new CancelJobCommand({ Id: running }));
    await Promise.all([ended(cloud, low), ended(cloud, high)]);
    const order = cloud.events
      .filter((event) => event.detail.status === 'PROGRESSING' || event.detail.status === 'COMPLETE')
      .map((event) => [event.detail.jobId, event.detail.status]);
    expect(order.slice(1)).toEqual([
      [high, 'PROGRESSING'],
      [high, 'COMPLETE'],
      [low, 'PROGRESSING'],
      [low, 'COMPLETE'],
    ]);
  });
});

describe('a restart of the local cloud', () => {
  it('in the middle of a job stops ffmpeg, and the next start finishes the job exactly once', async () => {
    const first = await cloudWith(UNHURRIED);
    const id = await create(first, slow('s3://vod/restarted/'));
    const waiting = await create(first, quick('s3://vod/waited/'));
    await encoding(first, id);
    await first.close();
    expect(livingChildren()).toBe(0);
    expect(first.statuses(id)).not.toContain('COMPLETE');
    expect(keysUnder('restarted/')).toEqual([]);

    const second = await cloudWith({ dataDir: first.dataDir });
    const job = await ended(second, id);
    expect(job).toMatchObject({ Status: 'COMPLETE', RetryCount: 1 });
    expect(await finished(second, waiting)).toMatchObject({ Status: 'COMPLETE' });
    expect(countOf([first, second], id, 'COMPLETE')).toBe(1);
    expect(
      (await decodeStrictly(ffmpeg, concatenate(store, 'vod', 'restarted/', 'long_v.m3u8'))).frames,
    ).toBe(300);
  });

  it('after a crash finds the job and its scratch files as they were, and finishes it', async () => {
    const first = await cloudWith(UNHURRIED);
    const id = await create(first, slow('s3://vod/crashed/'));
    await encoding(first, id);
    const dataDir = newDirectory('crashed');
    cpSync(first.dataDir, dataDir, { recursive: true });
    await first.client.send(new CancelJobCommand({ Id: id }));

    const second = await cloudWith({ dataDir });
    expect(await finished(second, id)).toMatchObject({ Status: 'COMPLETE', RetryCount: 1 });
    expect(readdirSync(join(dataDir, 'work'))).toEqual([]);
  });

  it('that was itself killed is survived: the ffmpeg it left running is ended, its job done again', async () => {
    const dataDir = newDirectory('killed');
    const server = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', SERVER, dataDir, store.root],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [url] = await Promise.race([
      once(createInterface({ input: server.stdout }), 'line'),
      once(server, 'exit').then(() => Promise.reject(new Error('the emulator did not start'))),
    ]);
    const client = new MediaConvertClient({
      region: REGION,
      endpoint: url,
      credentials: CREDENTIALS,
      maxAttempts: 1,
    });
    const { Job: job } = await client.send(new CreateJobCommand(slow('s3://vod/orphaned/')));
    client.destroy();
    const id = job?.Id ?? '';
    const work = join(dataDir, 'work');
    const note = await until(() => {
      const name = existsSync(work) ? readdirSync(work).find((entry) => entry.startsWith(id)) : undefined;
      const path = name && join(work, name, 'ffmpeg.json');
      const segments =
        name &&
        readdirSync(join(work, name), { recursive: true }).some((file) => String(file).endsWith('.m4s'));
      return path && segments ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
    });
    server.kill('SIGKILL');
    await once(server, 'exit');
    expect(isRunning(note.pid)).toBe(true);

    const cloud = await cloudWith({ dataDir });
    expect(cloud.logs.join()).toContain('ended an ffmpeg left over');
    expect(await finished(cloud, id)).toMatchObject({ Status: 'COMPLETE', RetryCount: 1 });
    expect(isRunning(note.pid)).toBe(false);
    expect((await decodeStrictly(ffmpeg, concatenate(store, 'vod', 'orphaned/', 'long_v.m3u8'))).frames).toBe(
      300,
    );
  });

  it('keeps finished jobs, and does not touch them again', async () => {
    const first = await cloudWith();
    const id = await create(first, quick('s3://vod/kept/'));
    const before = await ended(first, id);
    await first.close();
    const second = await cloudWith({ dataDir: first.dataDir });
    expect(await finished(second, id)).toEqual(before);
    expect(second.events).toEqual([]);
  });

  it('hands over the events that could not be handed over before', async () => {
    const lost: EventBridgeEvent[] = [];
    const first = await cloudWith({
      emit: async (event) => {
        lost.push(event);
        throw new Error('the disk is full');
      },
    });
    const id = await create(first, quick('s3://vod/unheard/'));
    await finished(first, id);
    await first.close();
    const second = await cloudWith({ dataDir: first.dataDir });
    await until(() => (second.statuses(id).includes('COMPLETE') ? true : undefined));
    const idOf = (events: EventBridgeEvent[]) =>
      events.find((event) => event.detail.status === 'COMPLETE')?.id;
    expect(second.statuses(id)).toEqual(['PROGRESSING', 'INPUT_INFORMATION', 'COMPLETE']);
    expect(lost.map((event) => event.id)).toContain(second.events[0]?.id);
    expect(idOf(second.events)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('gives up on a job that was interrupted again and again', async () => {
    const first = await cloudWith(UNHURRIED);
    const id = await create(first, slow('s3://vod/cursed/'));
    await encoding(first, id);
    await first.close();
    for (let round = 0; round < 4; round += 1) {
      const next = await startCloud({ ffmpeg, store, dataDir: first.dataDir, ...UNHURRIED });
      await until(() => (next.statuses(id).includes('PROGRESSING') ? true : undefined));
      await next.close();
    }
    const last = await cloudWith({ dataDir: first.dataDir });
    expect(await finished(last, id)).toMatchObject({ Status: 'ERROR', ErrorCode: 1999 });
  });

  it('sets a damaged job file aside and goes on', async () => {
    const dataDir = newDirectory('damaged');
    mkdirSync(join(dataDir, 'jobs'));
    writeFileSync(join(dataDir, 'jobs', '1700000000000-abc123.json'), '{"id":"17000000');
    const cloud = await cloudWith({ dataDir });
    expect(readdirSync(join(dataDir, 'jobs'))).toEqual(['1700000000000-abc123.json.unreadable']);
    expect(cloud.logs.join()).toContain('1700000000000-abc123');
    const id = await create(cloud, quick('s3://vod/after/'));
    expect(await finished(cloud, id)).toMatchObject({ Status: 'COMPLETE' });
  });
});
