import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  webhookEvents,
  webhookEventTypes,
} from '../../../src/modules/webhook-endpoints/policy/event-types.ts';
import { maxAttempts } from '../../../src/modules/webhook-endpoints/policy/schedule.ts';
import {
  deliverDue,
  handOutDeliveries,
} from '../../../src/modules/webhook-endpoints/usecases/deliver-due.ts';
import { expireWebhookLog } from '../../../src/modules/webhook-endpoints/usecases/read-log.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { deliver, deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { neverAnswer, type Receiver, startReceiver } from '../../support/worker/receiver.ts';
import {
  createEndpoint,
  deliveriesOf,
  deliveryOf,
  type EndpointJson,
  emit,
  endpointsPath,
  getEndpoint,
  seedVideo,
  videoDeleted,
} from '../../support/worker/webhooks.ts';
import { contextAt, endpointUuid } from './context.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let receiver: Receiver;
let user: TestUser;
beforeEach(async () => {
  receiver = startReceiver();
  user = await seedUser();
});
afterEach(() => {
  receiver.restore();
  takeMessages();
});

const status = (code: number, headers: Record<string, string> = {}) =>
  receiver.answer(() => new Response(null, { status: code, headers }));
const newEndpoint = async (body: Record<string, unknown> = {}) => {
  const created = await createEndpoint(user, body);
  takeMessages();
  return { ...created, uuid: endpointUuid(created.endpoint.id) };
};
const only = async (endpoint: EndpointJson) => {
  const [delivery, ...others] = await deliveriesOf(user, endpoint.id);
  expect(others).toEqual([]);
  if (delivery === undefined) throw new Error('there is no delivery');
  return delivery;
};
const patch = (id: string, body: unknown) =>
  call('PATCH', `${endpointsPath}/${id}`, { token: user.token, body });

describe('an event', () => {
  const videoMessage = (type: string, videoId: string) => ({
    queue: 'social-flow-events',
    body: {
      id: randomIds.next(),
      type,
      ...{ occurred_at: '2026-11-26T19:20:21.000Z' },
      data: { video_id: videoId, owner_id: user.uuid },
    },
  });

  it.each([
    ['video.progressed', 'transcoding'],
    ['video.published', 'published'],
    ['video.failed', 'failed'],
  ] as const)('%s arrives signed, with how the video stands', async (type, state) => {
    const { secret } = await newEndpoint();
    const videoId = await seedVideo(user, state);
    const message = videoMessage(type, videoId);
    await deliver([message]);
    await deliverEvents();
    const [received, ...others] = receiver.received;
    expect(others).toEqual([]);
    const payload = new Webhook(secret).verify(received?.body ?? '', { ...received?.headers });
    expect(payload).toEqual({
      type,
      timestamp: '2026-11-26T19:20:21.000Z',
      data: {
        video_id: encodeId('video', videoId),
        title: 'A film',
        state,
        progress_percent: expect.any(Number),
        phase: null,
        failure: state === 'failed' ? expect.objectContaining({ code: 'no_video' }) : null,
      },
    });
    expect(webhookEvents[type].data.safeParse((payload as { data: unknown }).data).success).toBe(true);
    expect(received?.headers).toMatchObject({
      'webhook-id': encodeId('event', message.body.id),
      'content-type': 'application/json',
      'user-agent': expect.stringContaining('SocialFlow'),
    });
  });

  it('of a video that was deleted since is only that', async () => {
    await newEndpoint();
    const videoId = await seedVideo(user);
    await sqlRows('UPDATE videos SET deleted_at = now() WHERE id = $1', [videoId]);
    await deliver([videoMessage('video.published', videoId), videoMessage('video.deleted', videoId)]);
    await deliverEvents();
    expect(receiver.received.map(({ body }) => JSON.parse(body))).toEqual([
      {
        type: 'video.deleted',
        timestamp: '2026-11-26T19:20:21.000Z',
        data: { video_id: encodeId('video', videoId) },
      },
    ]);
  });

  it('of an upload says how much of it has arrived', async () => {
    await newEndpoint();
    const [upload, video] = [randomIds.next(), randomIds.next()];
    const data = { upload_id: upload, video_id: video, owner_id: user.uuid, percent: 50 };
    const message = videoMessage('upload.progressed', video);
    await deliver([{ ...message, body: { ...message.body, data } }]);
    await deliverEvents();
    expect(receiver.received.map(({ body }) => JSON.parse(body))).toMatchObject([
      {
        type: 'upload.progressed',
        data: { upload_id: encodeId('upload', upload), video_id: encodeId('video', video), percent: 50 },
      },
    ]);
  });

  it('goes to every endpoint that wants it, enabled and of the owner', async () => {
    const all = await newEndpoint();
    const some = await newEndpoint({ event_types: ['video.deleted'] });
    const other = await newEndpoint({ event_types: ['video.failed'] });
    const disabled = await newEndpoint();
    await patch(disabled.endpoint.id, { enabled: false });
    const stranger = await createEndpoint(await seedUser());
    await emit(user);
    await deliverEvents();
    expect(receiver.received.map(({ url }) => url).sort()).toEqual(
      [all.endpoint.url, some.endpoint.url].sort(),
    );
    for (const { endpoint } of [other, disabled, stranger])
      expect(receiver.received.some(({ url }) => url === endpoint.url)).toBe(false);
  });

  it('makes one delivery however often its message arrives, also at the same moment', async () => {
    const { endpoint } = await newEndpoint();
    const message = videoDeleted(user);
    await Promise.all([1, 2, 3].map(() => deliver([message])));
    await deliver([message]);
    await deliverEvents({ times: 2 });
    expect(receiver.received).toHaveLength(1);
    expect(await only(endpoint)).toMatchObject({ state: 'succeeded', attempts: 1 });
    await deliver([message]);
    await deliverEvents();
    expect(receiver.received).toHaveLength(1);
  });

  it('is not lost when the queue of webhooks is down: the cron hands it out', async () => {
    const { endpoint } = await newEndpoint();
    await emit(user);
    expect(takeMessages().map(({ queue }) => queue)).toEqual(['social-flow-webhooks']);
    expect(await only(endpoint)).toMatchObject({ state: 'waiting', attempts: 0 });
    await handOutDeliveries(contextAt(Date.now() + 1_000));
    await deliverEvents();
    expect(await only(endpoint)).toMatchObject({ state: 'succeeded' });
  });

  it.each(['suspended', 'deactivated', 'deleted'])('of an account that is %s goes nowhere', async (state) => {
    const { uuid } = await newEndpoint();
    await emit(user);
    await sqlRows('UPDATE users SET status = $2 WHERE id = $1', [user.uuid, state]);
    await emit(user);
    await handOutDeliveries(contextAt(Date.now() + 1_000));
    await deliverDue(contextAt(Date.now() + 1_000), uuid);
    expect(receiver.received).toEqual([]);
    const rows = await sqlRows('SELECT state FROM webhook_deliveries WHERE endpoint_id = $1', [uuid]);
    expect(rows).toEqual([{ state: 'waiting' }]);
  });

  it('has a place in the registry for each type that is told of', () => {
    expect(webhookEventTypes).toEqual(expect.arrayContaining(['video.progressed', 'upload.progressed']));
    for (const type of webhookEventTypes) expect(type).toMatch(/^[a-z]+\.[a-z_]+$/);
  });
});

describe('a delivery that fails', () => {
  it('is tried ten times over three days with the same id and body, then given up', async () => {
    const { endpoint, uuid, secret } = await newEndpoint();
    status(500);
    const startedAt = Date.now() + 1_000;
    await emit(user);
    let nowMs = startedAt;
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      await deliverDue(contextAt(nowMs), uuid);
      expect(receiver.received).toHaveLength(attempt);
      const [row] = await sqlRows<{ due: number | null }>(
        'SELECT extract(epoch FROM due_at)::float8 * 1000 AS due FROM webhook_deliveries WHERE endpoint_id = $1',
        [uuid],
      );
      if (row?.due === null || row === undefined) break;
      await deliverDue(contextAt(row.due - 10), uuid);
      expect(receiver.received, 'tried before its time').toHaveLength(attempt);
      nowMs = Math.ceil(row.due);
    }
    expect(nowMs - startedAt).toBeGreaterThan(72 * hourMs);
    expect(nowMs - startedAt).toBeLessThan(84 * hourMs);
    expect(await only(endpoint)).toMatchObject({
      state: 'failed',
      failure_reason: 'exhausted',
      attempts: maxAttempts,
      last_status: 500,
      next_attempt_at: null,
    });
    await deliverDue(contextAt(nowMs + 30 * dayMs), uuid);
    expect(receiver.received).toHaveLength(maxAttempts);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(
      maxAttempts,
    );
    const [first] = receiver.received;
    expect(new Webhook(secret).verify(first?.body ?? '', { ...first?.headers })).toBeTruthy();
  });

  it('is asked for by a delayed message if it is due soon', async () => {
    const { endpoint } = await newEndpoint();
    status(500);
    await emit(user);
    await deliverEvents();
    const delivery = await only(endpoint);
    const waitMs = Date.parse(delivery.next_attempt_at ?? '') - Date.now();
    expect(waitMs).toBeGreaterThan(3_000);
    expect(waitMs).toBeLessThan(6_000);
  });

  it('waits as long as a busy endpoint asks', async () => {
    const { endpoint, uuid } = await newEndpoint();
    status(429, { 'retry-after': '7200' });
    await emit(user);
    const nowMs = Date.now() + 1_000;
    await deliverDue(contextAt(nowMs), uuid);
    const delivery = await only(endpoint);
    expect(Date.parse(delivery.next_attempt_at ?? '') - nowMs).toBe(2 * hourMs);
  });

  it.each(['before', 'after'] as const)(
    'because the Worker died %s it was written down arrives again, under the same id',
    async (when) => {
      const { endpoint, uuid } = await newEndpoint();
      await emit(user);
      const nowMs = Date.now() + 1_000;
      receiver.answer(async () => {
        await breakDatabase({ mode: 'down', count: 1, when });
        return new Response('ok');
      });
      await expect(deliverDue(contextAt(nowMs), uuid)).rejects.toThrow();
      await breakDatabase({ mode: 'none' });
      status(200);
      await deliverDue(contextAt(nowMs + 1_000), uuid);
      expect(receiver.received, 'taken by two at once').toHaveLength(1);
      await deliverDue(contextAt(nowMs + 61_000), uuid);
      expect(receiver.received).toHaveLength(when === 'before' ? 2 : 1);
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(await only(endpoint)).toMatchObject({ state: 'succeeded', attempts: 1 });
    },
  );

  it('follows no redirect', async () => {
    const { endpoint } = await newEndpoint();
    status(307, { location: 'https://elsewhere.hooks.example.com/' });
    await emit(user);
    await deliverEvents();
    expect(receiver.received).toHaveLength(1);
    expect(await only(endpoint)).toMatchObject({ state: 'waiting', last_status: 307 });
  });

  it('is not sent where a name leads into a private network, now or later', async () => {
    const { endpoint, uuid } = await newEndpoint();
    const { hostname } = new URL(endpoint.url);
    receiver.resolve(hostname, ['93.184.216.34', '::ffff:169.254.169.254']);
    await emit(user);
    await deliverEvents();
    expect(receiver.received).toEqual([]);
    expect(await only(endpoint)).toMatchObject({ state: 'waiting', last_error: 'refused_private_address' });
    receiver.resolve(hostname, ['93.184.216.34']);
    await deliverDue(contextAt(Date.now() + 10_000), uuid);
    expect(await only(endpoint)).toMatchObject({ state: 'succeeded', last_error: null });
  });

  it('tells a timeout from a refusal, and neither takes the place of another endpoint', async () => {
    const { endpoint, uuid } = await newEndpoint();
    receiver.answer(neverAnswer);
    await emit(user);
    await emit(user);
    takeMessages();
    const ctx = contextAt(Date.now() + 1_000, { WEBHOOK_ATTEMPT_TIMEOUT_MS: '150' });
    await deliverDue(ctx, uuid);
    expect(receiver.received, 'an endpoint that does not answer loses its turn').toHaveLength(1);
    const deliveries = await deliveriesOf(user, endpoint.id);
    expect(deliveries.map(({ last_error }) => last_error).sort()).toEqual([null, 'timeout']);
    expect(takeMessages().map(({ body }) => body.data)).toContainEqual({ endpoint_id: uuid });
  });
});

describe('an endpoint', () => {
  it('that says it is gone is disabled at once, its owner told, and what waits for it given up', async () => {
    const { endpoint, uuid } = await newEndpoint();
    await emit(user);
    await emit(user);
    takeMessages();
    status(410);
    const ctx = contextAt(Date.now() + 1_000);
    await deliverDue(ctx, uuid);
    await ctx.settle();
    expect(receiver.received).toHaveLength(1);
    expect(await getEndpoint(user, endpoint.id)).toMatchObject({ enabled: false, disabled_reason: 'gone' });
    const deliveries = await deliveriesOf(user, endpoint.id);
    expect(deliveries.map(({ failure_reason }) => failure_reason).sort()).toEqual([
      'endpoint_disabled',
      'gone',
    ]);
    expect(takeMessages().map(({ body }) => body)).toMatchObject([
      {
        type: 'account.security_notice',
        data: {
          user_id: user.uuid,
          notice: 'webhook_endpoint_disabled',
          detail: { endpoint: new URL(endpoint.url).host },
        },
      },
    ]);
    const audits = await sqlRows(
      "SELECT detail FROM audit_log WHERE action = 'webhook_endpoints.disabled' AND target_id = $1",
      [uuid],
    );
    expect(audits).toEqual([{ detail: { reason: 'gone' } }]);
  });

  it('at which nothing arrives for days is disabled, and one at which something does is not', async () => {
    const [failing, mending] = [await newEndpoint(), await newEndpoint()];
    const startedAt = Date.now() + 1_000;
    status(500);
    await emit(user);
    for (const { uuid } of [failing, mending]) await deliverDue(contextAt(startedAt), uuid);
    expect((await getEndpoint(user, failing.endpoint.id)).failing_since).not.toBeNull();
    status(200);
    await deliverDue(contextAt(startedAt + hourMs), mending.uuid);
    expect((await getEndpoint(user, mending.endpoint.id)).failing_since).toBeNull();

    status(500);
    await deliverDue(contextAt(startedAt + 4 * dayMs), failing.uuid);
    expect(await getEndpoint(user, failing.endpoint.id)).toMatchObject({ enabled: true });
    await sqlRows("UPDATE webhook_deliveries SET due_at = now() WHERE state = 'waiting'");
    await emit(user);
    takeMessages();
    const ctx = contextAt(startedAt + 5 * dayMs);
    for (const { uuid } of [failing, mending]) await deliverDue(ctx, uuid);
    await ctx.settle();
    expect(await getEndpoint(user, failing.endpoint.id)).toMatchObject({
      enabled: false,
      disabled_reason: 'failing',
    });
    expect(await getEndpoint(user, mending.endpoint.id)).toMatchObject({ enabled: true });
    const failed = await deliveriesOf(user, failing.endpoint.id, '?state=failed');
    expect(failed.map(({ failure_reason }) => failure_reason)).toEqual([
      'endpoint_disabled',
      'endpoint_disabled',
    ]);
    expect(takeMessages().filter(({ body }) => body.type === 'account.security_notice')).toHaveLength(1);
  });

  it('begins anew when it is enabled again, and what failed can be sent again', async () => {
    const { endpoint, uuid } = await newEndpoint();
    status(410);
    await emit(user);
    await deliverDue(contextAt(Date.now() + 1_000), uuid);
    await emit(user);
    await patch(endpoint.id, { enabled: true });
    status(200);
    await deliverDue(contextAt(Date.now() + 2_000), uuid);
    expect(receiver.received, 'events that happened meanwhile are not kept').toHaveLength(1);
    const response = await call('POST', `${endpointsPath}/${endpoint.id}/replay-failed`, {
      token: user.token,
      body: { since: new Date(Date.now() - hourMs).toISOString() },
    });
    expect(await response.json()).toEqual({ replayed: 1, more: false });
    await deliverEvents();
    expect(await only(endpoint)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  it('that moved while its old address said gone stays', async () => {
    const { endpoint, uuid } = await newEndpoint();
    receiver.answer(async () => {
      await patch(endpoint.id, { url: 'https://new.hooks.example.com/' });
      return new Response(null, { status: 410 });
    });
    await emit(user);
    await deliverDue(contextAt(Date.now() + 1_000), uuid);
    expect(await getEndpoint(user, endpoint.id)).toMatchObject({ enabled: true });
  });

  it.each([
    [500, { state: 'failed', failure_reason: 'endpoint_disabled' }],
    [200, { state: 'succeeded', failure_reason: null }],
  ])(
    'that is disabled while it answers %i gets nothing more, and the log is true',
    async (code, expected) => {
      const { endpoint, uuid } = await newEndpoint();
      await emit(user);
      await emit(user);
      receiver.answer(async () => {
        await patch(endpoint.id, { enabled: false });
        return new Response(null, { status: code });
      });
      await deliverDue(contextAt(Date.now() + 1_000), uuid);
      await deliverEvents();
      expect(receiver.received).toHaveLength(1);
      const deliveries = await deliveriesOf(user, endpoint.id);
      const attempted = deliveries.find(
        ({ event_id }) => event_id === receiver.received[0]?.headers['webhook-id'],
      );
      expect(attempted).toMatchObject({ ...expected, last_status: code === 200 ? 200 : null });
      const detail = await deliveryOf(user, endpoint.id, attempted?.id ?? '');
      expect(detail.attempt_log).toMatchObject([{ status: code }]);
      expect(await getEndpoint(user, endpoint.id)).toMatchObject({ disabled_reason: 'owner' });
    },
  );

  it('that is deleted while it answers leaves nothing behind', async () => {
    const { endpoint, uuid } = await newEndpoint();
    await emit(user);
    await emit(user);
    receiver.answer(async () => {
      await call('DELETE', `${endpointsPath}/${endpoint.id}`, { token: user.token });
      return new Response('ok');
    });
    await deliverDue(contextAt(Date.now() + 1_000), uuid);
    expect(receiver.received).toHaveLength(1);
    const rows = await sqlRows(
      `SELECT id FROM webhook_deliveries WHERE endpoint_id = $1
       UNION ALL SELECT a.id FROM webhook_attempts AS a LEFT JOIN webhook_deliveries AS d ON d.id = a.delivery_id WHERE d.id IS NULL`,
      [uuid],
    );
    expect(rows).toEqual([]);
  });

  it('gets its events in order, in turns with others, and asks for its next turn', async () => {
    const { uuid } = await newEndpoint();
    const ids: string[] = [];
    for (let count = 0; count < 23; count += 1) ids.push(await emit(user));
    takeMessages();
    await deliverDue(contextAt(Date.now() + 1_000), uuid);
    const first = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(first).toEqual(ids.slice(0, 20).map((id) => encodeId('event', id)));
    const messages = takeMessages();
    expect(messages.map(({ body }) => body.data)).toEqual([{ endpoint_id: uuid }]);
    await deliver(messages);
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(
      ids.map((id) => encodeId('event', id)),
    );
  });

  it('is delivered to by one at a time', async () => {
    const { uuid } = await newEndpoint();
    let open = 0;
    let most = 0;
    receiver.answer(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 30));
      open -= 1;
      return new Response('ok');
    });
    for (let count = 0; count < 4; count += 1) await emit(user);
    const nowMs = Date.now() + 1_000;
    await Promise.all([1, 2, 3].map(() => deliverDue(contextAt(nowMs), uuid)));
    expect(receiver.received).toHaveLength(4);
    expect(most).toBe(1);
  });
});

describe('an owner', () => {
  it('has no more than three endpoints delivered to at a time, and the others next', async () => {
    const endpoints = [];
    for (let count = 0; count < 5; count += 1) endpoints.push(await newEndpoint());
    await emit(user);
    takeMessages();
    const nowMs = Date.now() + 1_000;
    const [first, second, third, fourth, fifth] = endpoints.map(({ uuid }) => uuid);
    await sqlRows(
      'UPDATE webhook_endpoints SET claim_id = gen_random_uuid(), claimed_until = to_timestamp($2) WHERE id = ANY ($1::uuid[])',
      [`{${first},${second},${third}}`, nowMs / 1_000 + 30],
    );
    await deliverDue(contextAt(nowMs), fourth ?? '');
    expect(receiver.received).toEqual([]);
    await sqlRows('UPDATE webhook_endpoints SET claimed_until = NULL, claim_id = NULL WHERE id = $1', [
      third,
    ]);
    await deliverDue(contextAt(nowMs), third ?? '');
    expect(receiver.received).toHaveLength(1);
    const woken = takeMessages().map(({ body }) => body.data.endpoint_id);
    expect(woken.sort()).toEqual([fourth, fifth].sort());
  });

  it('with much to deliver does not come before others when work is handed out', async () => {
    const others = await seedUser();
    const mine = [await newEndpoint(), await newEndpoint(), await newEndpoint()];
    await emit(user);
    const theirs = await createEndpoint(others);
    await emit(others);
    takeMessages();
    await handOutDeliveries(contextAt(Date.now() + 1_000));
    const handed = takeMessages().map(({ body }) => String(body.data.endpoint_id));
    const ours = new Set([...mine.map(({ uuid }) => uuid), endpointUuid(theirs.endpoint.id)]);
    const order = handed.filter((id) => ours.has(id));
    expect(order).toHaveLength(4);
    expect(order.slice(0, 2)).toContain(endpointUuid(theirs.endpoint.id));
  });
});

describe('the log', () => {
  it('is kept for thirty days, and old secrets no longer than they sign', async () => {
    const { endpoint, uuid } = await newEndpoint();
    await call('POST', `${endpointsPath}/${endpoint.id}/rotate-secret`, { token: user.token, body: {} });
    await emit(user);
    await deliverEvents();
    await emit(user);
    await sqlRows(
      "UPDATE webhook_deliveries SET created_at = now() - interval '31 days' WHERE endpoint_id = $1 AND state = 'succeeded'",
      [uuid],
    );
    const counts = async () =>
      (
        await sqlRows(
          `SELECT (SELECT count(*)::int FROM webhook_deliveries WHERE endpoint_id = $1) AS deliveries,
             (SELECT count(*)::int FROM webhook_attempts AS a JOIN webhook_deliveries AS d ON d.id = a.delivery_id WHERE endpoint_id = $1) AS attempts,
             (SELECT sealed_old_secret IS NOT NULL FROM webhook_endpoints WHERE id = $1) AS old`,
          [uuid],
        )
      )[0];
    expect(await counts()).toEqual({ deliveries: 2, attempts: 1, old: true });
    await expireWebhookLog(contextAt(Date.now()));
    expect(await counts()).toEqual({ deliveries: 1, attempts: 0, old: true });
    await expireWebhookLog(contextAt(Date.now() + 2 * dayMs));
    expect(await counts()).toEqual({ deliveries: 1, attempts: 0, old: false });
  });
});
