import { listDurableObjectIds } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { endAccess } from '../../../src/http/session-guard.ts';
import { redeemTicket } from '../../../src/http/tickets.ts';
import { disconnectUser } from '../../../src/modules/realtime/index.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, signToken } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { contextOf } from '../../support/worker/films.ts';
import { httpContext } from '../../support/worker/http-app.ts';

const page = 'http://localhost:3000';
const open: WebSocket[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const socket of open.splice(0)) socket.close(1000);
});

async function someone(claims: Record<string, unknown> = {}) {
  const userUuid = randomIds.next();
  const sessionUuid = randomIds.next();
  return { userUuid, sessionUuid, token: await signToken({ userUuid, sessionUuid, claims }) };
}

const ticketFor = async (token: string): Promise<string> =>
  (await callJson<{ ticket: string }>(201, 'POST', '/v1/realtime/tickets', { token })).ticket;

async function connect(ticket: string, headers: Record<string, string> = {}): Promise<Response> {
  const response = await call('GET', '/v1/realtime', {
    headers: {
      upgrade: 'websocket',
      origin: page,
      'sec-websocket-protocol': `social-flow.v1, ticket.${ticket}`,
      ...headers,
    },
  });
  if (response.webSocket !== null) {
    response.webSocket.accept();
    open.push(response.webSocket);
  }
  return response;
}

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('a realtime ticket', () => {
  it('opens one connection of who asked, and speaks the protocol offered beside it', async () => {
    const { userUuid, token } = await someone();
    const answer = await callJson<{ ticket: string; expires_in: number }>(
      201,
      'POST',
      '/v1/realtime/tickets',
      { token, body: { purpose: 'realtime' } },
    );
    expect(answer.expires_in).toBe(30);
    expect(answer.ticket).toMatch(/^usr_[0-9a-z]{26}\.[A-Za-z0-9_-]{64}$/);
    expect(answer.ticket.startsWith(encodeId('user', userUuid))).toBe(true);
    const response = await connect(answer.ticket);
    expect(response.status).toBe(101);
    expect(response.headers.get('sec-websocket-protocol')).toBe('social-flow.v1');
    const replay = await connect(answer.ticket);
    expect(replay.status).toBe(401);
    expect(await codeOf(replay)).toBe('realtime.ticket_invalid');
  });

  it('opens exactly one of twenty connections at once', async () => {
    const { token } = await someone();
    const ticket = await ticketFor(token);
    const answers = await Promise.all(Array.from({ length: 20 }, () => connect(ticket)));
    expect(answers.filter(({ status }) => status === 101)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19);
  });

  it('is over after thirty seconds', async () => {
    const { token } = await someone();
    const ticket = await ticketFor(token);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    expect(await codeOf(await connect(ticket))).toBe('realtime.ticket_invalid');
  });

  it('opens nothing when it is forged, malformed or carried to another account', async () => {
    const [alice, bob] = [await someone(), await someone()];
    const ticket = await ticketFor(alice.token);
    const [, secret = ''] = ticket.split('.');
    for (const forged of [
      `${encodeId('user', bob.userUuid)}.${secret}`,
      `${encodeId('user', alice.userUuid)}.${'A'.repeat(64)}`,
      secret,
      '',
      alice.token,
    ]) {
      const response = await connect(forged);
      expect(response.status).toBe(401);
      expect(await codeOf(response)).toBe('realtime.ticket_invalid');
    }
    expect((await connect(ticket)).status).toBe(101);
  });

  it('that was invented has no object made for it', async () => {
    const before = (await listDurableObjectIds(testEnv(env).USER_HUB)).length;
    for (const secret of ['A'.repeat(64), 'A'.repeat(43), '-_'.repeat(32)]) {
      const response = await connect(`${encodeId('user', randomIds.next())}.${secret}`);
      expect(await codeOf(response)).toBe('realtime.ticket_invalid');
    }
    expect(await listDurableObjectIds(testEnv(env).USER_HUB)).toHaveLength(before);
    await connect(await ticketFor((await someone()).token));
    expect(await listDurableObjectIds(testEnv(env).USER_HUB)).toHaveLength(before + 1);
  });

  it('opens nothing else than its purpose, and is used up by the attempt', async () => {
    const { token } = await someone();
    const ticket = await ticketFor(token);
    await expect(redeemTicket(contextOf(), `ticket.${ticket}`, 'another-room')).rejects.toMatchObject({
      code: 'realtime.ticket_invalid',
    });
    expect((await connect(ticket)).status).toBe(401);
  });

  it('ends with its session, whether that ended before or after', async () => {
    const alice = await someone();
    const [first, second] = [await ticketFor(alice.token), await ticketFor(alice.token)];
    const response = await connect(first);
    const closed = new Promise<number>((resolve) =>
      response.webSocket?.addEventListener('close', ({ code }) => resolve(code)),
    );
    const ctx = httpContext();
    await endAccess(ctx, alice.userUuid, {
      sessionIds: [alice.sessionUuid],
      untilMs: Date.now() + 3_600_000,
    });
    expect((await connect(second)).status).toBe(401);
    await disconnectUser(ctx, alice.userUuid, alice.sessionUuid);
    expect(await closed).toBe(4401);
  });

  it('is voided when the connections of its session are closed', async () => {
    const alice = await someone();
    const ticket = await ticketFor(alice.token);
    await disconnectUser(httpContext(), alice.userUuid, alice.sessionUuid);
    expect(await codeOf(await connect(ticket))).toBe('realtime.ticket_invalid');
  });

  it('opens nothing for pages of other origins, and nothing but a WebSocket', async () => {
    const { token } = await someone();
    const foreign = await connect(await ticketFor(token), { origin: 'https://evil.example' });
    expect(await codeOf(foreign)).toBe('realtime.origin_not_allowed');
    const ticket = await ticketFor(token);
    for (const path of ['/v1/me', '/v1/feeds/home'])
      expect(
        (
          await call('GET', path, {
            headers: { upgrade: 'websocket', 'sec-websocket-protocol': `ticket.${ticket}` },
          })
        ).status,
        path,
      ).toBe(401);
    expect((await call('GET', '/v1/me', { headers: { authorization: `Bearer ${ticket}` } })).status).toBe(
      401,
    );
    const inUrl = await call('GET', `/v1/realtime?ticket=${ticket}`, { headers: { upgrade: 'websocket' } });
    expect(await codeOf(inUrl)).toBe('request.token_in_address');
    expect((await connect(ticket)).status).toBe(101);
  });

  it('is given to sessions only', async () => {
    const expired = await someone({ exp: Math.floor(Date.now() / 1_000) - 120 });
    expect((await call('POST', '/v1/realtime/tickets')).status).toBe(401);
    expect((await call('POST', '/v1/realtime/tickets', { token: expired.token })).status).toBe(401);
    const { token } = await someone();
    const odd = await call('POST', '/v1/realtime/tickets', { token, body: { purpose: 'everything' } });
    expect(odd.status).toBe(422);
  });
});

describe('a handshake by cookie', () => {
  const byCookie = (cookie: string, headers: Record<string, string>) =>
    call('GET', '/v1/realtime', {
      headers: { upgrade: 'websocket', 'sec-websocket-protocol': 'social-flow.v1', cookie, ...headers },
    });

  it('opens for pages of listed origins, and for none that another site could have sent', async () => {
    const { token } = await someone();
    const cookie = `__Host-sf_access=${token}`;
    const response = await byCookie(cookie, { origin: page, 'sec-fetch-site': 'same-site' });
    expect(response.status).toBe(101);
    response.webSocket?.accept();
    if (response.webSocket !== null) open.push(response.webSocket);
    for (const [headers, code] of [
      [{}, 'csrf.origin_missing'],
      [{ origin: 'https://evil.example' }, 'csrf.origin_refused'],
      [{ origin: 'null' }, 'csrf.origin_refused'],
      [{ origin: page, 'sec-fetch-site': 'cross-site' }, 'csrf.cross_site'],
    ] as const) {
      const refused = await byCookie(cookie, headers);
      expect(refused.status).toBe(403);
      expect(await codeOf(refused)).toBe(code);
      expect(refused.webSocket).toBeNull();
    }
  });
});
