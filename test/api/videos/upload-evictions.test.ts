import { evictAllDurableObjects } from 'cloudflare:test';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { film, putParts, type StartedUpload, uploadBody } from '../../support/worker/films.ts';
import { takeMessages } from '../../support/worker/queues.ts';

let owner: TestUser;

beforeAll(async () => {
  owner = await seedUser();
});

afterAll(() => evictAllDurableObjects());

it('an upload whose Durable Objects are evicted between all of its steps is started once, completed once and told once', async () => {
  const bytes = await film('film.mp4');
  const start = {
    token: owner.token,
    body: uploadBody({ size_bytes: bytes.length }),
    headers: { 'idempotency-key': 'upload-under-eviction' },
  };
  const started = await callJson<StartedUpload>(201, 'POST', '/v1/videos/uploads', start);
  await evictAllDurableObjects();
  const repeated = await call('POST', '/v1/videos/uploads', start);
  expect(repeated.headers.get('idempotency-replayed')).toBe('true');
  expect(await repeated.json()).toMatchObject({ id: started.id, video_id: started.video_id });

  const parts = await putParts(started, bytes);
  await evictAllDurableObjects();
  const complete = {
    token: owner.token,
    body: { parts },
    headers: { 'idempotency-key': 'complete-under-eviction' },
  };
  await callJson(200, 'POST', `/v1/videos/uploads/${started.id}/complete`, complete);
  await evictAllDurableObjects();
  await callJson(200, 'POST', `/v1/videos/uploads/${started.id}/complete`, complete);

  expect(takeMessages().map((message) => message.body.type)).toEqual([
    ...Array<string>(4).fill('upload.progressed'),
    'video.uploaded',
  ]);
  expect(await sqlRows('SELECT state FROM uploads WHERE owner_id = $1', [owner.uuid])).toEqual([
    { state: 'completed' },
  ]);
  expect(await sqlRows('SELECT state FROM videos WHERE owner_id = $1', [owner.uuid])).toEqual([
    { state: 'scanning' },
  ]);
});
