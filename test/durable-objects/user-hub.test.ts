import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it } from 'vitest';
import { hubHeaders } from '../../durable-objects/user-hub/protocol.ts';
import { testEnv } from '../support/worker/env.ts';

const { USER_HUB } = testEnv(env);
type Hub = ReturnType<typeof fresh>;
const fresh = () => USER_HUB.getByName(`test:${crypto.randomUUID()}`);

interface Frame {
  readonly type: string;
  readonly seq: number;
  readonly event?: { readonly id: string; readonly type: string; readonly data: unknown };
}

/** A client that keeps what it gets. */
interface Client {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  readonly texts: string[];
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  /** Waits until `count` frames came. */
  received(count: number): Promise<Frame[]>;
}

const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close(1000);
});

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

async function connect(
  hub: Hub,
  options: {
    readonly after?: number | string;
    readonly expiresAt?: number;
    readonly sessionId?: string;
  } = {},
): Promise<Client> {
  const query = options.after === undefined ? '' : `?after=${options.after}`;
  const response = await hub.fetch(`https://hub.internal/${query}`, {
    headers: {
      upgrade: 'websocket',
      'sec-websocket-protocol': 'social-flow.v1',
      [hubHeaders.sessionId]: options.sessionId ?? 'session',
      [hubHeaders.expiresAt]: String(options.expiresAt ?? inSeconds(600)),
    },
  });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no socket: ${response.status}`);
  const frames: Frame[] = [];
  const texts: string[] = [];
  const waiters: { count: number; resolve: (frames: Frame[]) => void }[] = [];
  socket.addEventListener('message', ({ data }) => {
    texts.push(String(data));
    if (data !== 'pong') frames.push(JSON.parse(String(data)) as Frame);
    for (const waiter of waiters) if (frames.length >= waiter.count) waiter.resolve(frames);
  });
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener('close', ({ code }) => resolve(code)),
  );
  socket.accept();
  open.push(socket);
  return {
    socket,
    frames,
    texts,
    closed,
    received: (count) =>
      new Promise((resolve) => {
        if (frames.length >= count) resolve(frames);
        else waiters.push({ count, resolve });
      }),
  };
}

const event = (id: string, data: unknown = {}) => ({ id, type: 'video.published', data });
const pushMany = async (hub: Hub, from: number, to: number) => {
  for (let index = from; index <= to; index += 1) await hub.push(event(`e${index}`, { index }));
};
const idsOf = (frames: readonly Frame[]) =>
  frames.filter(({ type }) => type === 'event').map((frame) => frame.event?.id);

describe('the hub of a user', () => {
  it('sends each event to every connection, in order, without gaps', async () => {
    const hub = fresh();
    const [one, two] = [await connect(hub), await connect(hub)];
    await Promise.all(Array.from({ length: 30 }, (_, index) => hub.push(event(`e${index}`))));
    for (const client of [one, two]) {
      const frames = await client.received(31);
      expect(frames[0]).toEqual({ type: 'ready', seq: 0 });
      expect(frames.slice(1).map(({ seq }) => seq)).toEqual(
        Array.from({ length: 30 }, (_, index) => index + 1),
      );
    }
    expect(idsOf(one.frames)).toEqual(idsOf(two.frames));
  });

  it('delivers an event once, however often it is pushed', async () => {
    const hub = fresh();
    const client = await connect(hub);
    const first = await hub.push(event('same'));
    await evictDurableObject(hub);
    expect(first).toMatchObject({ ok: true, seq: 1, delivered: 1, duplicate: false });
    expect(await hub.push(event('same'))).toMatchObject({ ok: true, seq: 1, delivered: 0, duplicate: true });
    await hub.push(event('next'));
    expect(idsOf(await client.received(3))).toEqual(['same', 'next']);
  });

  it('keeps connections through eviction', async () => {
    const hub = fresh();
    const client = await connect(hub);
    await hub.push(event('before'));
    await evictDurableObject(hub, { webSockets: 'hibernate' });
    expect(await hub.push(event('after'))).toMatchObject({ delivered: 1 });
    expect(idsOf(await client.received(3))).toEqual(['before', 'after']);
  });

  it('gives a returning client what it missed, then says that it is live', async () => {
    const hub = fresh();
    await pushMany(hub, 1, 5);
    await evictDurableObject(hub);
    const client = await connect(hub, { after: 3 });
    const frames = await client.received(3);
    expect(idsOf(frames)).toEqual(['e4', 'e5']);
    expect(frames[2]).toEqual({ type: 'ready', seq: 5 });
    const current = await connect(hub, { after: 5 });
    expect(await current.received(1)).toEqual([{ type: 'ready', seq: 5 }]);
  });

  it('tells a client to read its state anew when what it missed is gone, or was never given out', async () => {
    const hub = fresh();
    await pushMany(hub, 1, 205);
    for (const after of [3, 999, 'nonsense']) {
      const client = await connect(hub, { after });
      expect(await client.received(2)).toEqual([
        { type: 'resync', seq: 205 },
        { type: 'ready', seq: 205 },
      ]);
    }
    const lucky = await connect(hub, { after: 5 });
    expect(idsOf(await lucky.received(201))).toHaveLength(200);
  });

  it('never gives a sequence number twice, even when every event was forgotten', async () => {
    const hub = fresh();
    await pushMany(hub, 1, 3);
    await runInDurableObject(hub, (instance) => {
      instance.clock = { now: () => Date.now() + 86_400_001 };
    });
    await runDurableObjectAlarm(hub);
    const kept = await runInDurableObject(hub, (_, state) => [
      ...state.storage.sql.exec('SELECT 1 FROM events'),
    ]);
    expect(kept).toEqual([]);
    expect(await hub.push(event('later'))).toMatchObject({ seq: 4 });
  });

  it('answers ping with pong without being woken', async () => {
    const hub = fresh();
    const client = await connect(hub);
    await client.received(1);
    await evictDurableObject(hub);
    client.socket.send('ping');
    await hub.push(event('e'));
    await client.received(2);
    while (!client.texts.includes('pong')) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(client.texts).toContain('pong');
  });

  it('closes a connection whose access token ran out, at the next event or by alarm', async () => {
    const hub = fresh();
    const [short, long] = [await connect(hub, { expiresAt: inSeconds(60) }), await connect(hub)];
    await runInDurableObject(hub, (instance) => {
      instance.clock = { now: () => Date.now() + 61_000 };
    });
    expect(await hub.push(event('e'))).toMatchObject({ delivered: 1 });
    expect(await short.closed).toBe(4401);
    expect(idsOf(short.frames)).toEqual([]);
    await runInDurableObject(hub, (instance) => {
      instance.clock = { now: () => Date.now() + 601_000 };
    });
    expect(await runDurableObjectAlarm(hub)).toBe(true);
    expect(await long.closed).toBe(4401);
  });

  it('closes the connections of a session that ended and leaves the others', async () => {
    const hub = fresh();
    const [one, two] = [await connect(hub, { sessionId: 'one' }), await connect(hub, { sessionId: 'two' })];
    expect(await hub.disconnect('one')).toBe(1);
    expect(await one.closed).toBe(4401);
    expect(await hub.push(event('e'))).toMatchObject({ delivered: 1 });
    expect(await hub.disconnect()).toBe(1);
    expect(await two.closed).toBe(4401);
  });

  it('closes the oldest connection when a user opens a twenty-first, also across eviction', async () => {
    const hub = fresh();
    const clients: Client[] = [];
    for (let index = 0; index < 20; index += 1) clients.push(await connect(hub));
    await evictDurableObject(hub);
    const newest = await connect(hub);
    expect(await clients[0]?.closed).toBe(4009);
    expect(await hub.push(event('e'))).toMatchObject({ delivered: 20 });
    expect(idsOf(await newest.received(2))).toEqual(['e']);
  });

  it('answers a close with the same code, and with 1000 when there was none', async () => {
    const hub = fresh();
    const [coded, bare] = [await connect(hub), await connect(hub)];
    coded.socket.close(4321, 'bye');
    bare.socket.close();
    expect(await coded.closed).toBe(4321);
    expect([1000, 1005]).toContain(await bare.closed);
    expect(await hub.push(event('e'))).toMatchObject({ delivered: 0 });
  });

  it('closes on binary, oversized and unknown frames', async () => {
    const hub = fresh();
    const [binary, large, chatty] = [await connect(hub), await connect(hub), await connect(hub)];
    binary.socket.send(new Uint8Array([1, 2, 3]));
    large.socket.send('x'.repeat(1_025));
    chatty.socket.send('{"type":"hello"}');
    expect(await binary.closed).toBe(1003);
    expect(await large.closed).toBe(1009);
    expect(await chatty.closed).toBe(1008);
  });

  it('refuses events larger than 64 KB, and handshakes the Worker did not vouch for', async () => {
    const hub = fresh();
    expect(await hub.push(event('big', 'x'.repeat(70_000)))).toEqual({ ok: false, code: 'event_too_large' });
    for (const headers of [
      { upgrade: 'websocket' },
      { [hubHeaders.sessionId]: 's', [hubHeaders.expiresAt]: '1' },
    ])
      expect((await hub.fetch('https://hub.internal/', { headers })).status).toBe(400);
  });
});
