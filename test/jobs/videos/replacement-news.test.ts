import { Webhook } from 'standardwebhooks';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import {
  complete,
  endedJobEvents,
  film,
  publishFilm,
  putParts,
  type StartedUpload,
  scanEvents,
  sendWebhook,
  uuidOf,
} from '../../support/worker/films.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { type Receiver, startReceiver } from '../../support/worker/receiver.ts';
import { createEndpoint } from '../../support/worker/webhooks.ts';

let bytes: Uint8Array;
let owner: TestUser;
let videoId: string;
beforeAll(async () => {
  bytes = await film('film.mp4');
  owner = await seedUser();
  ({ videoId } = await publishFilm(owner, bytes, { title: 'The same film' }));
});

let receiver: Receiver;
beforeEach(() => {
  receiver = startReceiver();
});
afterEach(() => {
  receiver.restore();
  takeMessages();
});

/** Uploads another file for the video. */
async function sendFile(file: Uint8Array): Promise<{ readonly hidden: string; readonly uploadId: string }> {
  const upload = await callJson<StartedUpload>(201, 'POST', `/v1/videos/${videoId}/replacement`, {
    token: owner.token,
    body: { file_name: 'better.mp4', size_bytes: file.length, content_type: 'video/mp4' },
  });
  await complete(owner, upload.id, await putParts(upload, file));
  const [row] = await sqlRows<{ id: string }>(
    'SELECT id FROM videos WHERE replaces_id = $1 ORDER BY id DESC LIMIT 1',
    [uuidOf(videoId)],
  );
  const hidden = row?.id ?? '';
  await deliverEvents();
  for (const event of await scanEvents(hidden)) await sendWebhook(event);
  return { hidden, uploadId: upload.id };
}

interface News {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Opens a connection for realtime news of the owner. */
async function listen(): Promise<{ readonly news: News[]; until(type: string): Promise<void> }> {
  const response = await call('GET', '/v1/realtime', {
    token: owner.token,
    headers: { upgrade: 'websocket' },
  });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no socket: ${response.status}`);
  const news: News[] = [];
  let arrived = () => {};
  socket.addEventListener('message', ({ data }) => {
    const { event } = JSON.parse(String(data)) as { event?: News };
    if (event !== undefined) news.push(event);
    arrived();
  });
  socket.accept();
  return {
    news,
    async until(type) {
      while (!news.some((event) => event.type === type))
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      socket.close(1000);
    },
  };
}

/** Hands messages over twice, in both orders, and then what they cause. */
async function deliverTwice(): Promise<void> {
  const messages = takeMessages();
  await deliver([...messages, ...messages.toReversed()]);
  await deliverEvents({ times: 2, reverse: true });
}

const bodies = (): News[] => receiver.received.map(({ body }) => JSON.parse(body));

describe('the owner of a video whose file is replaced', () => {
  it('is told once that the new file is played, by webhook and over open connections', async () => {
    const { secret } = await createEndpoint(owner, { event_types: ['video.replaced', 'video.published'] });
    const connection = await listen();
    const { hidden } = await sendFile(bytes);
    await deliverEvents();
    for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
    await deliverTwice();
    await connection.until('video.replaced');
    const data = {
      video_id: videoId,
      title: 'The same film',
      state: 'published',
      progress_percent: 100,
      phase: null,
      failure: null,
    };
    expect(bodies()).toEqual([{ type: 'video.replaced', timestamp: expect.any(String), data }]);
    const [received] = receiver.received;
    new Webhook(secret).verify(received?.body ?? '', { ...received?.headers });
    expect(connection.news.filter(({ type }) => type === 'video.replaced')).toMatchObject([
      { data: { ...data, replacement: null } },
    ]);
  });

  it('is told once why a new file could not be used, in the name of the video that stays', async () => {
    await createEndpoint(owner, { event_types: ['video.replacement_failed', 'video.failed'] });
    const connection = await listen();
    const { hidden, uploadId } = await sendFile(new Uint8Array(9_000).fill(7));
    await deliverTwice();
    await connection.until('video.replacement_failed');
    const failure = { code: 'not_a_video', message: expect.any(String), retryable: false };
    expect(bodies()).toEqual([
      {
        type: 'video.replacement_failed',
        timestamp: expect.any(String),
        data: { video_id: videoId, title: 'The same film', upload_id: uploadId, failure },
      },
    ]);
    expect(JSON.stringify(bodies())).not.toContain(hidden);
    expect(connection.news.filter(({ type }) => type.endsWith('failed'))).toMatchObject([
      { type: 'video.replacement_failed', data: { video_id: videoId, replacement: { failure } } },
    ]);
  });

  it('is told nothing of a file that was given up', async () => {
    await createEndpoint(owner, { event_types: ['video.replacement_failed', 'video.replaced'] });
    const { hidden } = await sendFile(bytes);
    await deliverEvents();
    const response = await call('DELETE', `/v1/videos/${videoId}/replacement`, { token: owner.token });
    expect(response.status).toBe(204);
    for (const event of await endedJobEvents(hidden)) await sendWebhook(event);
    await deliverTwice();
    expect(bodies()).toEqual([]);
  });
});
