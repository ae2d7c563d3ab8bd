import { env } from 'cloudflare:workers';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { neverAnswer, type Receiver, startReceiver } from '../../support/worker/receiver.ts';
import {
  createEndpoint,
  type DeliveryDetailJson,
  type DeliveryJson,
  deliveriesOf,
  deliveryOf,
  emit,
  endpointsPath,
  getEndpoint,
} from '../../support/worker/webhooks.ts';

let receiver: Receiver;
beforeEach(() => {
  receiver = startReceiver();
});
afterEach(() => {
  receiver.restore();
  takeMessages();
});

const test = (user: TestUser, endpointId: string) =>
  callJson<DeliveryDetailJson>(200, 'POST', `${endpointsPath}/${endpointId}/test`, { token: user.token });
const replay = (user: TestUser, endpointId: string, deliveryId: string) =>
  call('POST', `${endpointsPath}/${endpointId}/deliveries/${deliveryId}/replay`, { token: user.token });
const replayFailed = (user: TestUser, endpointId: string, since: string) =>
  call('POST', `${endpointsPath}/${endpointId}/replay-failed`, { token: user.token, body: { since } });
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

/** Deliveries nobody attempted, one for each type. */
async function seedDeliveries(endpointId: string, types: readonly string[], state = 'failed'): Promise<void> {
  for (const type of types)
    await sqlRows(
      `INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, state, failure_reason, created_at, finished_at)
       SELECT $1::uuid, id, $1::uuid, $2, '{}', $3, CASE WHEN $3 = 'failed' THEN 'exhausted' END, now(), now()
       FROM webhook_endpoints ORDER BY id = $4::uuid DESC LIMIT 1`,
      [randomIds.next(), type, state, endpointId],
    );
}

const uuidOfEndpoint = async (user: TestUser): Promise<string> => {
  const [row] = await sqlRows<{ id: string }>('SELECT id FROM webhook_endpoints WHERE user_id = $1', [
    user.uuid,
  ]);
  return row?.id ?? '';
};

describe('the log of an endpoint', () => {
  it('shows what was sent, each attempt and what came back', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    receiver.answer(() => new Response(`no\u0000thing ${'x'.repeat(5_000)}`, { status: 500 }));
    const eventId = await emit(user);
    await deliverEvents();
    const [delivery] = await deliveriesOf(user, endpoint.id);
    expect(delivery).toMatchObject({
      endpoint_id: endpoint.id,
      event_id: encodeId('event', eventId),
      type: 'video.deleted',
      state: 'waiting',
      attempts: 1,
      last_status: 500,
      last_error: null,
      finished_at: null,
    });
    const detail = await deliveryOf(user, endpoint.id, delivery?.id ?? '');
    expect(detail).toMatchObject({ ...delivery, payload: { type: 'video.deleted' } });
    expect(JSON.stringify(detail.payload)).toBe(receiver.received[0]?.body);
    const [attempt, ...others] = detail.attempt_log;
    expect(others).toEqual([]);
    expect(attempt).toMatchObject({ status: 500, error: null });
    expect(attempt?.response_excerpt).toMatch(/^no\ufffdthing x{1000,1016}$/);
    expect((await getEndpoint(user, endpoint.id)).failing_since).not.toBeNull();
  });

  it('is read in pages, by state and by type, and its cursors fit no other list', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    const uuid = await uuidOfEndpoint(user);
    await seedDeliveries(uuid, Array(5).fill('video.deleted'));
    await seedDeliveries(uuid, Array(3).fill('video.failed'), 'succeeded');
    const path = `${endpointsPath}/${endpoint.id}/deliveries`;
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { data: DeliveryJson[]; next_cursor: string | null } = await callJson(
        200,
        'GET',
        `${path}?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`,
        { token: user.token },
      );
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen).toHaveLength(8);
    expect(seen).toEqual([...new Set(seen)].sort().reverse());

    expect(await deliveriesOf(user, endpoint.id, '?state=failed')).toHaveLength(5);
    expect(await deliveriesOf(user, endpoint.id, '?type=video.failed')).toHaveLength(3);
    expect(await deliveriesOf(user, endpoint.id, '?type=video.failed&state=failed')).toEqual([]);
    const { next_cursor } = await callJson<{ next_cursor: string }>(200, 'GET', `${path}?limit=2`, {
      token: user.token,
    });
    for (const query of [`state=failed&cursor=${next_cursor}`, `cursor=${next_cursor}x`])
      expect((await call('GET', `${path}?${query}`, { token: user.token })).status).toBe(400);
    for (const query of ['state=lost', 'type=nothing', 'limit=0', 'limit=101', 'page=2'])
      expect((await call('GET', `${path}?${query}`, { token: user.token })).status, query).toBe(400);
  });

  it('of one endpoint does not show the deliveries of another', async () => {
    const user = await seedUser();
    const [first, second] = [await createEndpoint(user), await createEndpoint(user)];
    await emit(user);
    const [delivery] = await deliveriesOf(user, first.endpoint.id);
    const path = `${endpointsPath}/${second.endpoint.id}/deliveries/${delivery?.id}`;
    expect((await call('GET', path, { token: user.token })).status).toBe(404);
    expect((await call('POST', `${path}/replay`, { token: user.token })).status).toBe(404);
  });

  it('costs one round trip', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    const path = `${endpointsPath}/${endpoint.id}/deliveries`;
    expect((await roundTripsOf(await call('GET', path, { token: user.token }))).roundTrips).toBe(1);
  });
});

describe('a replay', () => {
  it('sends the same event under the same id and body, whatever became of it before', async () => {
    const user = await seedUser();
    const { endpoint, secret } = await createEndpoint(user);
    await emit(user);
    await deliverEvents();
    const [delivery] = await deliveriesOf(user, endpoint.id);
    expect(delivery?.state).toBe('succeeded');
    const response = await replay(user, endpoint.id, delivery?.id ?? '');
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ state: 'waiting', attempts: 0, finished_at: null });
    await deliverEvents();
    const [first, second, ...others] = receiver.received;
    expect(others).toEqual([]);
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(new Webhook(secret).verify(second?.body ?? '', { ...second?.headers })).toMatchObject({
      type: 'video.deleted',
    });
    const detail = await deliveryOf(user, endpoint.id, delivery?.id ?? '');
    expect(detail).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(detail.attempt_log).toHaveLength(2);
  });

  it('of one that waits for its next attempt tries at once, and takes no attempt from it', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    receiver.answer(() => new Response('', { status: 503 }));
    await emit(user);
    await deliverEvents();
    const [delivery] = await deliveriesOf(user, endpoint.id);
    expect(await (await replay(user, endpoint.id, delivery?.id ?? '')).json()).toMatchObject({ attempts: 1 });
    receiver.answer(() => new Response(null, { status: 204 }));
    await deliverEvents();
    expect(await deliveryOf(user, endpoint.id, delivery?.id ?? '')).toMatchObject({
      state: 'succeeded',
      attempts: 2,
    });
  });

  it('is refused while the endpoint is disabled', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    await emit(user);
    await call('PATCH', `${endpointsPath}/${endpoint.id}`, { token: user.token, body: { enabled: false } });
    const [delivery] = await deliveriesOf(user, endpoint.id);
    expect(delivery).toMatchObject({ state: 'failed', failure_reason: 'endpoint_disabled' });
    const one = await replay(user, endpoint.id, delivery?.id ?? '');
    expect([one.status, await codeOf(one)]).toEqual([409, 'webhooks.endpoint_disabled']);
    const all = await replayFailed(user, endpoint.id, new Date(Date.now() - 60_000).toISOString());
    expect([all.status, await codeOf(all)]).toEqual([409, 'webhooks.endpoint_disabled']);
    await deliverEvents();
    expect(receiver.received).toEqual([]);
  });

  it('of all that failed since a moment takes those and no others, the oldest first', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    const uuid = await uuidOfEndpoint(user);
    await seedDeliveries(uuid, ['video.published', 'endpoint.test']);
    await seedDeliveries(uuid, ['video.failed'], 'succeeded');
    await sqlRows(
      "UPDATE webhook_deliveries SET created_at = now() - interval '2 days' WHERE endpoint_id = $1",
      [uuid],
    );
    await seedDeliveries(uuid, ['video.deleted', 'video.progressed', 'endpoint.test']);
    const since = new Date(Date.now() - 86_400_000).toISOString();
    const response = await replayFailed(user, endpoint.id, since);
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ replayed: 2, more: false });
    await deliverEvents();
    const deliveries = await deliveriesOf(user, endpoint.id);
    const succeeded = deliveries.filter(({ attempts }) => attempts === 1).map(({ type }) => type);
    expect(succeeded).toEqual(['video.progressed', 'video.deleted']);
    expect(receiver.received).toHaveLength(2);
    expect(await (await replayFailed(user, endpoint.id, since)).json()).toEqual({ replayed: 0, more: false });
  });

  it('of very many is bounded, and says that there are more', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    await sqlRows(
      `INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, state, failure_reason, created_at, finished_at)
       SELECT gen_random_uuid(), $1::uuid, gen_random_uuid(), 'video.deleted', '{}', 'failed', 'exhausted', now(), now()
       FROM generate_series(1, 1001)`,
      [await uuidOfEndpoint(user)],
    );
    const since = new Date(Date.now() - 60_000).toISOString();
    expect(await (await replayFailed(user, endpoint.id, since)).json()).toEqual({
      replayed: 1_000,
      more: true,
    });
    expect(await (await replayFailed(user, endpoint.id, since)).json()).toEqual({ replayed: 1, more: false });
  });

  it.each(['yesterday', '2020-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59', '', 5])(
    'since %s is refused',
    async (since) => {
      const user = await seedUser();
      const { endpoint } = await createEndpoint(user);
      const response = await call('POST', `${endpointsPath}/${endpoint.id}/replay-failed`, {
        token: user.token,
        body: { since },
      });
      expect(response.status).toBe(422);
    },
  );
});

describe('the test button', () => {
  it('sends a signed event now and shows what came of it', async () => {
    const user = await seedUser();
    const { endpoint, secret } = await createEndpoint(user, { event_types: ['video.failed'] });
    receiver.answer(() => new Response('thank you', { status: 202 }));
    const result = await test(user, endpoint.id);
    expect(result).toMatchObject({
      type: 'endpoint.test',
      state: 'succeeded',
      last_status: 202,
      attempts: 1,
    });
    expect(result.attempt_log).toMatchObject([{ status: 202, response_excerpt: 'thank you' }]);
    const [received] = receiver.received;
    expect(received?.url).toBe(endpoint.url);
    expect(new Webhook(secret).verify(received?.body ?? '', { ...received?.headers })).toEqual(
      result.payload,
    );
    expect(result.payload).toMatchObject({ type: 'endpoint.test', data: { endpoint_id: endpoint.id } });
    expect(received?.headers['webhook-id']).toBe(result.event_id);
    expect(await deliveryOf(user, endpoint.id, result.id)).toEqual(result);
  });

  it('says what is wrong, tries once, and leaves the standing of the endpoint alone', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    takeMessages();
    receiver.answer(() => new Response('', { status: 410 }));
    expect(await test(user, endpoint.id)).toMatchObject({ state: 'failed', failure_reason: 'gone' });
    receiver.answer(() => {
      throw new TypeError('connection refused');
    });
    expect(await test(user, endpoint.id)).toMatchObject({ last_status: null, last_error: 'unreachable' });
    receiver.resolve(new URL(endpoint.url).hostname, ['93.184.216.34', '10.0.0.7']);
    expect(await test(user, endpoint.id)).toMatchObject({ last_error: 'refused_private_address' });
    receiver.resolve(new URL(endpoint.url).hostname, []);
    expect(await test(user, endpoint.id)).toMatchObject({ last_error: 'unknown_host' });
    expect(await deliverEvents()).toEqual([]);
    expect(await getEndpoint(user, endpoint.id)).toMatchObject({ enabled: true, failing_since: null });
  });

  it('waits no longer than an attempt may take', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    receiver.answer(neverAnswer);
    const bindings = { ...testEnv(env), WEBHOOK_ATTEMPT_TIMEOUT_MS: '200' };
    const response = await call('POST', `${endpointsPath}/${endpoint.id}/test`, {
      token: user.token,
      bindings,
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ state: 'failed', last_error: 'timeout' });
  });

  it('works for an endpoint that is disabled, before it is enabled again', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    await call('PATCH', `${endpointsPath}/${endpoint.id}`, { token: user.token, body: { enabled: false } });
    expect(await test(user, endpoint.id)).toMatchObject({ state: 'succeeded' });
  });

  it('cannot be pressed all the time', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    const path = `${endpointsPath}/${endpoint.id}/test`;
    const statuses: number[] = [];
    for (let count = 0; count < 11; count += 1)
      statuses.push((await call('POST', path, { token: user.token })).status);
    expect(statuses).toEqual([...Array(10).fill(200), 429]);
    expect(receiver.received).toHaveLength(10);
  });
});
