import { afterEach, describe, expect, it, vi } from 'vitest';
import { DatabaseUnreachable } from '../../../src/db/errors.ts';
import { type DatabaseScope, withDatabaseScope } from '../../../src/db/scope.ts';
import { connectionHealth, createTransport } from '../../../src/db/transport.ts';

let database = 0;

/** A transport whose proxy answers the given outcomes in order, and what it was asked. */
function scripted(...outcomes: ('ok' | 'lost' | 'broken off' | 'down' | { sqlstate: string })[]) {
  database += 1;
  const connection = `postgres://app:pw@db.test/transport_${database}`;
  const asked: Headers[] = [];
  vi.stubGlobal('fetch', async (_url: string, init: RequestInit) => {
    asked.push(new Headers(init.headers));
    const outcome = outcomes.shift() ?? 'ok';
    if (outcome === 'lost') throw new TypeError('Network connection lost');
    if (outcome === 'broken off') return brokenOff();
    if (outcome === 'down') return new Response('{"message":"Couldn\'t connect"}', { status: 500 });
    if (outcome === 'ok') return new Response('{"rows":[]}');
    return new Response(JSON.stringify({ message: 'no', code: outcome.sqlstate }), { status: 400 });
  });
  const transport = createTransport({ queryTimeoutMs: 1_000, slowQueryMs: 10_000 });
  const ask = (body: object, headers: Record<string, string> = {}) =>
    transport('https://proxy.test/sql', {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Neon-Connection-String': connection, ...headers },
    });
  return { ask, asked, health: () => connectionHealth(`db.test/transport_${database}`) };
}

const brokenOff = () =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"rows":[["1"'));
        controller.error(new Error('connection reset'));
      },
    }),
  );

afterEach(() => vi.unstubAllGlobals());

const select = { query: 'SELECT 1', params: [] };
const insert = { query: 'INSERT INTO posts DEFAULT VALUES', params: [] };

describe('a round trip without an answer', () => {
  it.each([
    ['a SELECT', select, 2],
    ['an INSERT', insert, 1],
    ['a SELECT that locks rows', { query: 'select 1 from posts FOR UPDATE' }, 1],
    ['a SELECT that calls a function which acts', { query: 'SELECT do_transfer(1)' }, 1],
    ['a WITH, which may write', { query: 'WITH x AS (INSERT INTO t VALUES (1)) SELECT 1' }, 1],
    ['a batch of SELECTs', { queries: [select, select] }, 2],
    ['a batch that begins with a SELECT and then writes', { queries: [select, insert] }, 1],
  ])('of %s is asked %i time(s) more at most', async (_, body, attempts) => {
    const { ask, asked } = scripted('lost', 'ok');
    const outcome = await ask(body).then(
      () => 'answered',
      (error: unknown) => error,
    );
    expect(asked).toHaveLength(attempts);
    if (attempts === 1) expect(outcome).toBeInstanceOf(DatabaseUnreachable);
    else expect(outcome).toBe('answered');
  });

  it('of a read-only batch is asked again whatever it says', async () => {
    const { ask, asked } = scripted('down', 'ok');
    await ask(
      { queries: [{ query: 'WITH x AS (SELECT 1) SELECT * FROM x' }] },
      { 'Neon-Batch-Read-Only': 'true' },
    );
    expect(asked).toHaveLength(2);
  });
});

describe('an answer that breaks off', () => {
  it('is asked for again when the statement only reads', async () => {
    const { ask, asked } = scripted('broken off', 'ok');
    expect(await (await ask(select)).json()).toEqual({ rows: [] });
    expect(asked).toHaveLength(2);
  });

  it('leaves open whether a write took effect: it is not repeated', async () => {
    const { ask, asked } = scripted('broken off', 'ok');
    await expect(ask(insert)).rejects.toBeInstanceOf(DatabaseUnreachable);
    expect(asked).toHaveLength(1);
  });
});

describe('an answer that says the statement was rolled back', () => {
  it.each(['40001', '40P01', '53300', '57P03'])(
    'with %s is tried again even for a write',
    async (sqlstate) => {
      const { ask, asked } = scripted({ sqlstate }, 'ok');
      expect((await ask(insert)).status).toBe(200);
      expect(asked).toHaveLength(2);
    },
  );

  it('is given up after three attempts, and the answer passed on', async () => {
    const { ask, asked } = scripted(
      { sqlstate: '40001' },
      { sqlstate: '40001' },
      { sqlstate: '40001' },
      'ok',
    );
    expect((await ask(insert)).status).toBe(400);
    expect(asked).toHaveLength(3);
  });

  it('for a reason of its own is passed on at once', async () => {
    const { ask, asked } = scripted({ sqlstate: '23505' }, 'ok');
    expect(await (await ask(insert)).json()).toMatchObject({ code: '23505' });
    expect(asked).toHaveLength(1);
  });
});

it('names the request, counts every attempt and keeps the health of the connection', async () => {
  const scope: DatabaseScope = {
    requestId: 'req-12345678',
    traceparent: '00-a-b-01',
    purpose: 'background',
    roundTrips: 0,
  };
  const { ask, asked, health } = scripted('lost', 'ok');
  await withDatabaseScope(scope, () => ask(select));
  expect(scope.roundTrips).toBe(2);
  for (const headers of asked)
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-request-id': 'req-12345678',
      'x-db-purpose': 'background',
      traceparent: '00-a-b-01',
    });
  expect(health()).toMatchObject({ consecutiveFailures: 0 });
  expect(health().lastFailureAt).toBeDefined();
});
