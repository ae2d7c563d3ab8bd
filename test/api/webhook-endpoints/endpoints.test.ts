import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  signToken,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { deliverEvents, takeMessages } from '../../support/worker/queues.ts';
import { hookUrl, type Received, type Receiver, startReceiver } from '../../support/worker/receiver.ts';
import {
  createEndpoint,
  type EndpointJson,
  emit,
  endpointsPath,
  getEndpoint,
} from '../../support/worker/webhooks.ts';
import { createKey } from '../api-keys/keys.ts';
import { problemOf } from '../auth/accounts.ts';

let receiver: Receiver;
beforeEach(() => {
  receiver = startReceiver();
});
afterEach(() => {
  receiver.restore();
  vi.useRealTimers();
});

const later = (milliseconds: number) =>
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });

const listOf = async (user: TestUser) =>
  (await callJson<{ data: EndpointJson[] }>(200, 'GET', endpointsPath, { token: user.token })).data;
const patch = (user: TestUser, id: string, body: unknown) =>
  call('PATCH', `${endpointsPath}/${id}`, { token: user.token, body });
const rotate = (user: TestUser, id: string, body: unknown = {}) =>
  callJson<{ secret: string; endpoint: EndpointJson }>(200, 'POST', `${endpointsPath}/${id}/rotate-secret`, {
    token: user.token,
    body,
  });
const verifies = (secret: string, { body, headers }: Received): boolean => {
  try {
    new Webhook(secret).verify(body, { ...headers });
    return true;
  } catch {
    return false;
  }
};

describe('a webhook endpoint', () => {
  it('is made with a secret that is shown once, sealed, told to the owner and audited', async () => {
    const user = await seedUser();
    takeMessages();
    const { endpoint, secret } = await createEndpoint(user, {
      url: 'https://example.com/hooks?from=us#part',
      event_types: ['video.published', 'video.failed'],
      description: '  our own server ',
    });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(endpoint).toMatchObject({
      id: expect.stringMatching(/^whe_/),
      url: 'https://example.com/hooks?from=us',
      event_types: ['video.published', 'video.failed'],
      description: 'our own server',
      enabled: true,
      disabled_reason: null,
      failing_since: null,
      old_secret_expires_at: null,
    });
    expect(await listOf(user)).toEqual([endpoint]);
    expect(await getEndpoint(user, endpoint.id)).toEqual(endpoint);

    const [row] = await sqlRows<{ text: string }>(
      `SELECT row_to_json(e)::text || encode(sealed_secret, 'escape') AS text FROM webhook_endpoints AS e WHERE user_id = $1`,
      [user.uuid],
    );
    expect(row?.text).not.toContain(secret.slice(6));
    const [notice, ...others] = takeMessages();
    expect(others).toEqual([]);
    expect(notice?.body).toMatchObject({
      type: 'account.security_notice',
      data: { user_id: user.uuid, notice: 'webhook_endpoint_added', detail: { endpoint: 'example.com' } },
    });
    const audits = await sqlRows('SELECT action, detail FROM audit_log WHERE actor_id = $1', [user.uuid]);
    expect(audits).toEqual([
      {
        action: 'webhook_endpoints.created',
        detail: { event_types: ['video.published', 'video.failed'] },
      },
    ]);
  });

  it('costs one round trip to make beside the check of the recent login, and one to read or change', async () => {
    const user = await seedUser();
    const post = await call('POST', endpointsPath, { token: user.token, body: { url: hookUrl() } });
    expect((await roundTripsOf(post)).roundTrips).toBe(2);
    const { endpoint } = (await post.json()) as { endpoint: EndpointJson };
    const path = `${endpointsPath}/${endpoint.id}`;
    for (const get of [endpointsPath, path, `${path}/deliveries`])
      expect((await roundTripsOf(await call('GET', get, { token: user.token }))).roundTrips, get).toBe(1);
    expect((await roundTripsOf(await patch(user, endpoint.id, { enabled: false }))).roundTrips).toBe(2);
  });

  it.each([
    ['http://example.com/', 'plain http'],
    ['https://user:pass@example.com/', 'credentials'],
    ['https://example.com:22/', 'a port of something else'],
    ['https://127.0.0.1/', 'loopback'],
    ['https://2130706433/', 'loopback as a number'],
    ['https://0x7f.1/', 'loopback in hex'],
    ['https://[::1]/', 'loopback in IPv6'],
    ['https://[::ffff:10.0.0.1]/', 'IPv4 in IPv6'],
    ['https://169.254.169.254/latest/meta-data', 'the metadata of a cloud'],
    ['https://10.1.2.3/', 'a private network'],
    ['https://localhost/', 'a local name'],
    ['https://printer.local/', 'a name of the house'],
    ['https://intranet/', 'a bare name'],
    ['ftp://example.com/', 'another protocol'],
    ['javascript:alert(1)', 'a script'],
    ['//example.com/', 'half an address'],
    ['nonsense', 'no address'],
    ['https://exa mple.com/', 'a space'],
    ['https://example.com/\u0000', 'NUL is encoded', true],
    [`https://example.com/${'\u00e9'.repeat(1_000)}`, 'an address that is long once it is encoded'],
  ] as const)('at %s is refused: %s', async (url, _, allowed: boolean = false) => {
    const user = await seedUser();
    const response = await call('POST', endpointsPath, { token: user.token, body: { url } });
    expect(response.status).toBe(allowed ? 201 : 422);
    if (allowed) return;
    expect(await response.json()).toMatchObject({
      code: 'request.invalid',
      errors: [{ pointer: '/url', code: 'not_callable' }],
    });
    const { endpoint } = await createEndpoint(user);
    expect((await patch(user, endpoint.id, { url })).status).toBe(422);
  });

  it.each([
    [{}, '/url'],
    [{ url: 7 }, '/url'],
    [{ url: '' }, '/url'],
    [{ url: `https://example.com/${'a'.repeat(3_000)}` }, '/url'],
    [{ url: 'https://example.com/', event_types: [] }, '/event_types'],
    [{ url: 'https://example.com/', event_types: ['video.gone'] }, '/event_types/0'],
    [{ url: 'https://example.com/', event_types: ['endpoint.test'] }, '/event_types/0'],
    [{ url: 'https://example.com/', event_types: ['video.failed', 'video.failed'] }, '/event_types'],
    [{ url: 'https://example.com/', description: 'a\u0000b' }, '/description'],
    [{ url: 'https://example.com/', description: '\ud800' }, '/description'],
    [{ url: 'https://example.com/', description: 'x'.repeat(201) }, '/description'],
    [{ url: 'https://example.com/', secret: 'whsec_mine' }, '/secret'],
  ])('cannot be made of %j', async (body, pointer) => {
    const user = await seedUser();
    const response = await call('POST', endpointsPath, { token: user.token, body });
    expect(response.status).toBe(422);
    expect(((await response.json()) as { errors: { pointer: string }[] }).errors[0]?.pointer).toBe(pointer);
    expect(await listOf(user)).toEqual([]);
  });

  it('is one of ten at most, also when they are made at the same moment', async () => {
    const user = await seedUser();
    const responses = await Promise.all(
      Array.from({ length: 14 }, () =>
        call('POST', endpointsPath, { token: user.token, body: { url: hookUrl() } }),
      ),
    );
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(10).fill(201), ...Array(4).fill(409)]);
    const [first] = await listOf(user);
    await call('DELETE', `${endpointsPath}/${first?.id}`, { token: user.token });
    await createEndpoint(user);
    expect(await listOf(user)).toHaveLength(10);
  });

  it('is changed field by field, and goes with all that belongs to it', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user, { event_types: ['video.failed'] });
    const url = hookUrl('/other');
    const changed = await (await patch(user, endpoint.id, { url, description: 'moved' })).json();
    expect(changed).toMatchObject({
      url,
      description: 'moved',
      event_types: ['video.failed'],
      enabled: true,
    });
    expect(await (await patch(user, endpoint.id, { event_types: null })).json()).toMatchObject({
      event_types: null,
      description: 'moved',
    });
    expect((await patch(user, endpoint.id, {})).status).toBe(422);
    expect(await (await patch(user, endpoint.id, { enabled: false })).json()).toMatchObject({
      enabled: false,
      disabled_reason: 'owner',
      disabled_at: expect.any(String),
    });
    expect(await (await patch(user, endpoint.id, { enabled: true })).json()).toMatchObject({
      enabled: true,
      disabled_reason: null,
      disabled_at: null,
    });

    await emit(user);
    const response = await call('DELETE', `${endpointsPath}/${endpoint.id}`, { token: user.token });
    expect(response.status).toBe(204);
    expect((await call('GET', `${endpointsPath}/${endpoint.id}`, { token: user.token })).status).toBe(404);
    const rows = await sqlRows(
      'SELECT d.id FROM webhook_deliveries AS d LEFT JOIN webhook_endpoints AS e ON e.id = d.endpoint_id WHERE e.id IS NULL',
    );
    expect(rows).toEqual([]);
    takeMessages();
  });

  it('is nobody else’s to see, change, test, rotate, replay or delete', async () => {
    const [owner, other] = [await seedUser(), await seedUser()];
    const { endpoint } = await createEndpoint(owner);
    const own = `${endpointsPath}/${endpoint.id}`;
    const calls = [
      ['GET', own],
      ['PATCH', own, { enabled: false }],
      ['DELETE', own],
      ['POST', `${own}/test`],
      ['POST', `${own}/rotate-secret`, {}],
      ['GET', `${own}/deliveries`],
      ['POST', `${own}/replay-failed`, { since: new Date().toISOString() }],
    ] as const;
    for (const [method, path, body] of calls)
      expect((await call(method, path, { token: other.token, body })).status, `${method} ${path}`).toBe(404);
    expect(await getEndpoint(owner, endpoint.id)).toEqual(endpoint);
    expect(receiver.received).toEqual([]);
  });

  it('is not made, moved or given a secret without a recent login, but can always be deleted', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    const token = await signToken({
      userUuid: user.uuid,
      sessionUuid: user.sessionUuid,
      claims: { auth_time: Math.floor(Date.now() / 1000) - 3_600 },
    });
    const own = `${endpointsPath}/${endpoint.id}`;
    for (const [method, path, body] of [
      ['POST', endpointsPath, { url: hookUrl() }],
      ['PATCH', own, { url: hookUrl() }],
      ['POST', `${own}/rotate-secret`, {}],
    ] as const) {
      const response = await call(method, path, { token, body });
      expect(response.status, path).toBe(401);
      expect((await problemOf(response)).code).toBe('auth.step_up_required');
    }
    expect((await call('DELETE', own, { token })).status).toBe(204);
  });

  it('can be read and tested by an API key of its scope, and managed by none', async () => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    const { secret: key } = await createKey(user, ['webhooks:read', 'webhooks:write']);
    const { secret: reader } = await createKey(user, ['webhooks:read']);
    const own = `${endpointsPath}/${endpoint.id}`;
    expect((await call('GET', own, { token: reader })).status).toBe(200);
    expect((await call('POST', `${own}/test`, { token: key })).status).toBe(200);
    expect((await call('POST', `${own}/test`, { token: reader })).status).toBe(403);
    for (const [method, path] of [
      ['POST', endpointsPath],
      ['PATCH', own],
      ['DELETE', own],
      ['POST', `${own}/rotate-secret`],
    ] as const)
      expect((await call(method, path, { token: key, body: {} })).status, path).toBe(403);
  });

  it('that does not exist is not found, nor is one by an id of another kind', async () => {
    const user = await seedUser();
    for (const id of [
      encodeId('webhookEndpoint', randomIds.next()),
      encodeId('video', randomIds.next()),
      'x',
    ])
      expect((await call('GET', `${endpointsPath}/${id}`, { token: user.token })).status).toBe(404);
  });
});

describe('a secret', () => {
  it('is replaced with both signing until the overlap is over', async () => {
    const user = await seedUser();
    const { endpoint, secret: old } = await createEndpoint(user);
    const { secret: fresh, endpoint: rotated } = await rotate(user, endpoint.id, { overlap_seconds: 600 });
    expect(fresh).not.toBe(old);
    expect(Date.parse(rotated.old_secret_expires_at ?? '') - Date.parse(rotated.updated_at)).toBe(600_000);

    await emit(user);
    await deliverEvents();
    const [during] = receiver.received.splice(0);
    expect(during?.headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const secret of [old, fresh]) expect(during && verifies(secret, during)).toBe(true);

    later(601_000);
    expect((await getEndpoint(user, endpoint.id)).old_secret_expires_at).toBeNull();
    await emit(user);
    await deliverEvents();
    const [after] = receiver.received.splice(0);
    expect(after?.headers['webhook-signature']?.split(' ')).toHaveLength(1);
    expect(after && [verifies(fresh, after), verifies(old, after)]).toEqual([true, false]);
  });

  it('that is in wrong hands stops signing at once', async () => {
    const user = await seedUser();
    const { endpoint, secret: old } = await createEndpoint(user);
    const { secret: fresh } = await rotate(user, endpoint.id, { overlap_seconds: 0 });
    await emit(user);
    await deliverEvents();
    const [received] = receiver.received.splice(0);
    expect(received && [verifies(fresh, received), verifies(old, received)]).toEqual([true, false]);
  });

  it('before the last stops when there is another, so that at most two sign', async () => {
    const user = await seedUser();
    const { endpoint, secret: first } = await createEndpoint(user);
    const { secret: second } = await rotate(user, endpoint.id);
    const { secret: third } = await rotate(user, endpoint.id);
    await emit(user);
    await deliverEvents();
    const [received] = receiver.received.splice(0);
    expect([first, second, third].map((secret) => received && verifies(secret, received))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it.each([-1, 604_801, 1.5, '60', null])('does not overlap for %s', async (overlap_seconds) => {
    const user = await seedUser();
    const { endpoint } = await createEndpoint(user);
    const response = await call('POST', `${endpointsPath}/${endpoint.id}/rotate-secret`, {
      token: user.token,
      body: { overlap_seconds },
    });
    expect(response.status).toBe(422);
  });
});
