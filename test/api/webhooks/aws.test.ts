import { describe, expect, it } from 'vitest';
import { call, roundTripsOf, sqlRows } from '../../support/worker/client.ts';
import { sendWebhook } from '../../support/worker/films.ts';
import { takeMessages } from '../../support/worker/queues.ts';

const jobEvent = (overrides: Readonly<Record<string, unknown>> = {}) => ({
  version: '0',
  id: crypto.randomUUID(),
  'detail-type': 'MediaConvert Job State Change',
  source: 'aws.mediaconvert',
  account: '000000000000',
  time: '2026-11-23T17:00:00Z',
  region: 'us-east-1',
  resources: ['arn:aws:mediaconvert:us-east-1:000000000000:jobs/1700000000000-abcdef'],
  detail: {
    timestamp: 1_795_453_200_000,
    jobId: '1700000000000-abcdef',
    status: 'PROGRESSING',
    userMetadata: {},
    somethingNew: { kept: false },
  },
  ...overrides,
});

const known = (id: string) => sqlRows('SELECT source FROM inbound_events WHERE event_id = $1', [id]);

describe('POST /v1/webhooks/aws', () => {
  it('takes an event in once, with one trip to the database', async () => {
    const event = jobEvent();
    const first = await sendWebhook(event);
    expect([first.status, await first.json()]).toEqual([202, { accepted: true, duplicate: false }]);
    expect(await roundTripsOf(first)).toMatchObject({ roundTrips: 1 });
    const second = await sendWebhook(event);
    expect([second.status, await second.json()]).toEqual([202, { accepted: true, duplicate: true }]);
    const messages = takeMessages();
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({
      queue: 'social-flow-media',
      body: {
        type: 'mediaconvert.job_changed',
        data: { event_id: event.id, detail: { jobId: '1700000000000-abcdef', status: 'PROGRESSING' } },
      },
    });
    expect(messages[0]?.body.data.detail).not.toHaveProperty('somethingNew');
    expect(await known(event.id)).toEqual([{ source: 'aws.mediaconvert' }]);
  });

  it('takes an event in once when it arrives twenty times at the same moment', async () => {
    const event = jobEvent();
    const answers = await Promise.all(Array.from({ length: 20 }, () => sendWebhook(event)));
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    expect(bodies.filter((body) => !(body as { duplicate: boolean }).duplicate)).toHaveLength(1);
    expect(takeMessages()).toHaveLength(1);
  });

  it('refuses a forged sender before it looks at the event', async () => {
    const event = jobEvent();
    const forged = [
      await call('POST', '/v1/webhooks/aws', { body: event }),
      await sendWebhook(event, { 'x-api-key': '' }),
      await sendWebhook(event, { 'x-api-key': 'guess' }),
      await sendWebhook({ anything: true }, { 'x-api-key': 'guess' }),
      await call('POST', '/v1/webhooks/aws', { body: event, headers: { authorization: 'Bearer x' } }),
    ];
    for (const response of forged)
      expect([response.status, await response.json()]).toMatchObject([
        401,
        { code: 'webhooks.unauthenticated' },
      ]);
    expect(await known(event.id)).toEqual([]);
    expect(takeMessages()).toEqual([]);
  });

  it('refuses what is no event, and writes nothing', async () => {
    const cases: [unknown, string][] = [
      [{}, '/id'],
      [jobEvent({ id: '' }), '/id'],
      [jobEvent({ id: 'x'.repeat(129) }), '/id'],
      [jobEvent({ id: 7 }), '/id'],
      [jobEvent({ time: 'yesterday' }), '/time'],
      [jobEvent({ detail: 'none' }), '/detail'],
    ];
    for (const [body, pointer] of cases) {
      const response = await sendWebhook(body);
      expect(response.status).toBe(422);
      const problem = (await response.json()) as { errors: { pointer: string }[] };
      expect(problem.errors.map((error) => error.pointer)).toContain(pointer);
    }
    expect((await sendWebhook('{"id": ')).status).toBe(400);
    expect((await sendWebhook('[]')).status).toBe(422);
    expect((await call('GET', '/v1/webhooks/aws')).status).toBe(405);
    expect(takeMessages()).toEqual([]);
  });

  it('ignores events of kinds nobody waits for', async () => {
    for (const event of [
      jobEvent({ source: 'aws.ec2' }),
      jobEvent({ 'detail-type': 'MediaConvert Queue Something' }),
    ]) {
      const response = await sendWebhook(event);
      expect([response.status, await response.json()]).toEqual([202, { accepted: false, duplicate: false }]);
      expect(await known(event.id)).toEqual([]);
    }
    expect(takeMessages()).toEqual([]);
  });

  it('hands a very long event on without what would not fit into a message', async () => {
    const paths = Array.from({ length: 2_000 }, (_, index) => `s3://social-flow-media/media/x/${index}.m3u8`);
    const event = jobEvent();
    const response = await sendWebhook({
      ...event,
      detail: {
        ...event.detail,
        outputGroupDetails: [{ type: 'CMAF_GROUP', playlistFilePaths: paths, outputDetails: [] }],
      },
    });
    expect(response.status).toBe(202);
    const [message] = takeMessages();
    expect(JSON.stringify(message?.body).length).toBeLessThan(100_000);
    expect(message?.body.data.detail).toMatchObject({ jobId: '1700000000000-abcdef' });
  });

  it('takes in text Postgres cannot store and values nested without end, and hands on what can be read', async () => {
    const event = jobEvent();
    const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const detail = JSON.stringify({ ...event.detail, errorMessage: 'a\0b \ud800 c', 'key\0': 1 });
    const body = JSON.stringify({ ...event, detail: 0 }).replace(
      '"detail":0',
      `"detail":${detail.slice(0, -1)},"outputGroupDetails":[{"a\\u0000":${nested}}]}`,
    );
    expect((await sendWebhook(body)).status).toBe(202);
    const [message] = takeMessages();
    expect(message?.body.data.detail).toMatchObject({
      jobId: '1700000000000-abcdef',
      errorMessage: 'a\ufffdb \ufffd c',
    });
  });

  it('never writes an event the queue would not take', async () => {
    const long = '漢'.repeat(40_000);
    for (const detail of [{ jobId: long }, { status: long }, { jobProgress: { currentPhase: long } }]) {
      const event = jobEvent({ detail });
      const response = await sendWebhook(event);
      expect([response.status, await response.json()]).toEqual([202, { accepted: false, duplicate: false }]);
      expect(await known(event.id)).toEqual([]);
    }
    const event = jobEvent();
    const metadata = {
      ...Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`k${n}`, long.slice(0, 90)])),
    };
    await sendWebhook({ ...event, detail: { ...event.detail, userMetadata: { ...metadata, job_id: 'x' } } });
    const [message] = takeMessages();
    expect(message?.body.data.detail).toMatchObject({ userMetadata: { job_id: 'x' } });
    expect(new TextEncoder().encode(JSON.stringify(message?.body)).length).toBeLessThan(100_000);
  });
});
