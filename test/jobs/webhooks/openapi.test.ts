import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { webhookEventTypes } from '../../../src/modules/webhook-endpoints/policy/event-types.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { type Receiver, startReceiver } from '../../support/worker/receiver.ts';
import { createEndpoint, endpointsPath, seedVideo } from '../../support/worker/webhooks.ts';

type Json = Readonly<Record<string, unknown>>;

interface Described {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody: { readonly content: { readonly 'application/json': { readonly schema: Json } } };
  readonly responses: Json;
}

interface Document {
  readonly webhooks: Readonly<Record<string, { readonly post: Described }>>;
  readonly components: { readonly schemas: Json };
}

let document: Document;
let receiver: Receiver;
let user: TestUser;
beforeAll(async () => {
  document = await callJson<Document>(200, 'GET', '/openapi.json');
});
beforeEach(async () => {
  receiver = startReceiver();
  user = await seedUser();
});
afterEach(() => {
  receiver.restore();
  takeMessages();
});

/** A validator made of nothing but the document, as a receiver would make it. */
function validatorOf(type: string): z.ZodType {
  const schema = document.webhooks[type]?.post.requestBody.content['application/json'].schema;
  const local = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll('#/components/schemas/', '#/$defs/'));
  const { schemas } = document.components;
  return z.fromJSONSchema({ $defs: local(schemas), ...(local(schema) as Json) } as never);
}

async function seedReplacement(state: string): Promise<string> {
  const videoId = await seedVideo(user);
  const id = await seedVideo(user, state);
  await sqlRows('UPDATE videos SET replaces_id = $2 WHERE id = $1', [id, videoId]);
  return id;
}

const videoNews = (state: string) => async () => ({ video_id: await seedVideo(user, state) });

async function seedStream(): Promise<string> {
  const id = randomIds.next();
  await sqlRows("INSERT INTO streams (id, owner_id, title) VALUES ($1, $2, 'The show')", [id, user.uuid]);
  return id;
}

/** What has each type sent, as the messages that say it happened. */
const causes: Readonly<Record<string, { message: string; data: () => Promise<Json> }>> = {
  'video.progressed': { message: 'video.progressed', data: videoNews('transcoding') },
  'video.published': { message: 'video.published', data: videoNews('published') },
  'video.failed': { message: 'video.failed', data: videoNews('failed') },
  'video.replaced': { message: 'video.replaced', data: videoNews('published') },
  'video.replacement_failed': {
    message: 'video.failed',
    data: async () => ({ video_id: await seedReplacement('failed') }),
  },
  'video.deleted': { message: 'video.deleted', data: async () => ({ video_id: randomIds.next() }) },
  'stream.started': { message: 'stream.started', data: async () => ({ stream_id: await seedStream() }) },
  'stream.ended': { message: 'stream.ended', data: async () => ({ stream_id: await seedStream() }) },
  'upload.progressed': {
    message: 'upload.progressed',
    data: async () => ({ upload_id: randomIds.next(), video_id: randomIds.next(), percent: 50 }),
  },
};

async function send(type: string): Promise<void> {
  const { endpoint } = await createEndpoint(user);
  takeMessages();
  const cause = causes[type];
  if (cause === undefined) {
    const path = `${endpointsPath}/${endpoint.id}/test`;
    expect((await call('POST', path, { token: user.token })).status).toBe(200);
    return;
  }
  const occurredAt = '2026-11-26T19:20:21.000Z';
  await deliver([
    {
      queue: 'social-flow-events',
      body: {
        id: randomIds.next(),
        type: cause.message,
        ...{ occurred_at: occurredAt },
        data: { ...(await cause.data()), owner_id: user.uuid },
      },
    },
  ]);
  await deliverEvents();
}

const sentTypes = [...webhookEventTypes, 'endpoint.test'];

describe('the webhooks of the OpenAPI document', () => {
  it('are all that are sent', () => {
    expect(Object.keys(document.webhooks).sort()).toEqual([...sentTypes].sort());
    const ids = Object.values(document.webhooks).map(({ post }) => post.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(sentTypes)('describe %s as it arrives', async (type) => {
    await send(type);
    const [received, ...others] = receiver.received;
    expect(others).toEqual([]);
    const body: { type: string; data: Json } = JSON.parse(received?.body ?? '');
    expect(body.type).toBe(type);
    const validator = validatorOf(type);
    expect(validator.safeParse(body).error).toBeUndefined();
    for (const { name, required } of document.webhooks[type]?.post.parameters ?? [])
      if (required) expect(received?.headers).toHaveProperty([name]);
    // It does tell one from another, and misses what is missing.
    for (const field of Object.keys(body.data)) {
      const { [field]: _missing, ...rest } = body.data;
      expect(validator.safeParse({ ...body, data: rest }).success, field).toBe(false);
    }
    const other = sentTypes.find((candidate) => candidate !== type);
    expect(validator.safeParse({ ...body, type: other }).success).toBe(false);
  });
});
