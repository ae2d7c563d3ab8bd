import { afterEach, describe, expect, it } from 'vitest';
import { disconnectUser, pushToUser } from '../../../src/modules/realtime/index.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { call, signToken } from '../../support/worker/client.ts';
import { httpContext } from '../../support/worker/http-app.ts';

const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close(1000);
});

async function someone(claims: Record<string, unknown> = {}) {
  const userUuid = randomIds.next();
  const sessionUuid = randomIds.next();
  return { userUuid, sessionUuid, token: await signToken({ userUuid, sessionUuid, claims }) };
}

const connect = (headers: Record<string, string>, path = '/v1/realtime') =>
  call('GET', path, { headers: { upgrade: 'websocket', ...headers } });

function listen(response: Response) {
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no socket: ${response.status}`);
  const frames: unknown[] = [];
  const waiting: (() => void)[] = [];
  socket.addEventListener('message', ({ data }) => {
    frames.push(JSON.parse(String(data)));
    for (const resolve of waiting) resolve();
  });
  socket.accept();
  open.push(socket);
  return {
    socket,
    closed: new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code))),
    async frames(count: number) {
      while (frames.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
      return frames;
    },
  };
}

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('GET /v1/realtime', () => {
  it('connects a browser by subprotocols and delivers what happens to its user, and to nobody else', async () => {
    const [alice, bob] = [await someone(), await someone()];
    const response = await connect({
      'sec-websocket-protocol': `social-flow.v1, bearer.${alice.token}`,
      origin: 'http://localhost:3000',
    });
    expect(response.status).toBe(101);
    expect(response.headers.get('sec-websocket-protocol')).toBe('social-flow.v1');
    const client = listen(response);
    const ctx = httpContext();
    const event = { id: randomIds.next(), type: 'video.published', data: { video_id: 'vid_x' } };
    expect(await pushToUser(ctx, bob.userUuid, { ...event, id: randomIds.next() })).toBe(true);
    expect(await pushToUser(ctx, alice.userUuid, event)).toBe(true);
    expect(await client.frames(2)).toEqual([
      { type: 'ready', seq: 0 },
      { type: 'event', seq: 1, event },
    ]);
  });

  it('connects other clients by Authorization header and lets them resume', async () => {
    const { userUuid, token } = await someone();
    const ctx = httpContext();
    for (const id of ['one', 'two', 'three']) await pushToUser(ctx, userUuid, { id, type: 't', data: null });
    const response = await connect({ authorization: `Bearer ${token}` }, '/v1/realtime?after=2');
    expect(response.headers.get('sec-websocket-protocol')).toBeNull();
    expect(await listen(response).frames(2)).toEqual([
      { type: 'event', seq: 3, event: { id: 'three', type: 't', data: null } },
      { type: 'ready', seq: 3 },
    ]);
  });

  it('ends with the session', async () => {
    const { userUuid, sessionUuid, token } = await someone();
    const client = listen(await connect({ authorization: `Bearer ${token}` }));
    await disconnectUser(httpContext(), userUuid, sessionUuid);
    expect(await client.closed).toBe(4401);
  });

  it('refuses strangers, expired and malformed tokens, wherever the token is', async () => {
    const expired = await someone({ exp: Math.floor(Date.now() / 1_000) - 120 });
    for (const headers of [
      {},
      { 'sec-websocket-protocol': 'social-flow.v1' },
      { 'sec-websocket-protocol': 'social-flow.v1, bearer.nonsense' },
      { 'sec-websocket-protocol': `social-flow.v1, bearer.${expired.token}` },
      { authorization: `Bearer ${expired.token}` },
    ]) {
      const response = await connect(headers as Record<string, string>);
      expect(response.status).toBe(401);
      expect(await codeOf(response)).toBe('auth.unauthenticated');
    }
    const inUrl = await connect({}, `/v1/realtime?access_token=${(await someone()).token}`);
    expect([400, 401]).toContain(inUrl.status);
  });

  it('refuses pages of origins that are not on the list', async () => {
    const { token } = await someone();
    for (const origin of ['https://evil.test', 'null', 'http://localhost:3000.evil.test']) {
      const response = await connect({ authorization: `Bearer ${token}`, origin });
      expect(response.status).toBe(403);
      expect(await codeOf(response)).toBe('realtime.origin_not_allowed');
    }
  });

  it('opens no socket for HEAD', async () => {
    const { token } = await someone();
    const response = await call('HEAD', '/v1/realtime', { token, headers: { upgrade: 'websocket' } });
    expect(response.status).toBe(426);
    expect(response.webSocket).toBeNull();
  });

  it('asks for WebSocket when called without, and refuses a malformed cursor', async () => {
    const { token } = await someone();
    const plain = await call('GET', '/v1/realtime', { token });
    expect(plain.status).toBe(426);
    expect(plain.headers.get('upgrade')).toBe('websocket');
    expect(await codeOf(plain)).toBe('realtime.upgrade_required');
    const malformed = await connect({ authorization: `Bearer ${token}` }, '/v1/realtime?after=-1');
    expect(malformed.status).toBe(400);
  });
});
