import { env } from 'cloudflare:workers';
import { afterEach, describe, expect, it } from 'vitest';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { takeMessages } from '../../support/worker/queues.ts';

// Read when the first request builds the services of this file's isolate.
Object.assign(env, { DATABASE_QUERY_TIMEOUT_MS: '400' });

afterEach(() => breakDatabase({ mode: 'none' }));

const postsOf = async (user: TestUser): Promise<string[]> =>
  (await sqlRows<{ text: string }>('SELECT text FROM posts WHERE author_id = $1', [user.uuid])).map(
    (row) => row.text,
  );

const createPost = (user: TestUser, text: string, key?: string) =>
  call('POST', '/v1/posts', {
    token: user.token,
    body: { text },
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });

describe('a transient failure', () => {
  it.each(['40001', '40P01'])('%s of a write is retried and nobody notices', async (sqlstate) => {
    const user = await seedUser();
    await breakDatabase({ mode: 'error', sqlstate, count: 2 });
    const response = await createPost(user, 'third time lucky');
    expect(response.status).toBe(201);
    expect(await postsOf(user)).toEqual(['third time lucky']);
    expect((await roundTripsOf(response)).roundTrips).toBe(3);
  });

  it('of a read is retried', async () => {
    const user = await seedUser();
    await breakDatabase({ mode: 'down', count: 1 });
    expect(
      (
        await call('GET', `/v1/users/${user.username}`, {
          headers: { 'x-read-pin': String(Date.now() + 4_000) },
        })
      ).status,
    ).toBe(200);
  });

  it("of a write whose answer was lost is not repeated behind the client's back", async () => {
    const user = await seedUser();
    await breakDatabase({ mode: 'down', when: 'after', count: 1 });
    expect((await createPost(user, 'written, answer lost')).status).toBe(503);
    expect(await postsOf(user)).toEqual(['written, answer lost']);
  });
});

describe('while Postgres is down', () => {
  it('says so in readyz, stays alive, answers 503 problems, and recovers by itself', async () => {
    const user = await seedUser();
    await breakDatabase({ mode: 'down' });

    const ready = await call('GET', '/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({
      status: 'unavailable',
      dependencies: expect.arrayContaining([
        expect.objectContaining({ name: 'database.primary', status: 'down' }),
      ]),
    });
    expect((await call('GET', '/livez')).status).toBe(200);

    for (const response of [
      await createPost(user, 'lost?'),
      await call('GET', `/v1/users/${user.username}`),
      await call('POST', '/v1/auth/login', {
        body: { identifier: user.username, password: 'whatever it is' },
      }),
    ]) {
      expect(response.status).toBe(503);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ code: 'service.unavailable' });
      expect(text).not.toMatch(/compute|postgres|insert|select/i);
    }

    await breakDatabase({ mode: 'none' });
    expect((await call('GET', '/readyz')).status).toBe(200);
    expect((await createPost(user, 'back')).status).toBe(201);
    expect(await postsOf(user)).toEqual(['back']);
  });

  it('answers within the deadline when the database hangs instead of failing', async () => {
    const user = await seedUser();
    await breakDatabase({ mode: 'none', delayMs: 5_000, count: 5 });
    const response = await call('GET', `/v1/users/${user.username}`);
    expect(response.status).toBe(503);
  });
});

describe('with an Idempotency-Key', () => {
  it('a write whose answer was lost is made once, however often the client tries again', async () => {
    const user = await seedUser();
    takeMessages();
    await breakDatabase({ mode: 'down', when: 'after', count: 1 });
    expect((await createPost(user, 'once', 'lost-answer')).status).toBe(503);
    const second = await createPost(user, 'once', 'lost-answer');
    expect(second.status).toBe(201);
    const third = await createPost(user, 'once', 'lost-answer');
    expect(third.headers.get('idempotency-replayed')).toBe('true');
    expect(await third.json()).toEqual(await second.json());
    expect(await postsOf(user)).toEqual(['once']);
    expect(
      await sqlRows(`SELECT count(*)::int AS n FROM audit_log WHERE actor_id = $1 AND action LIKE 'post%'`, [
        user.uuid,
      ]),
    ).toEqual([{ n: 1 }]);
  });

  it('fifty identical posts at once make one', async () => {
    const user = await seedUser();
    const answers = await Promise.all(Array.from({ length: 50 }, () => createPost(user, 'storm', 'storm-1')));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
    expect(statuses).toContain(201);
    const ids = new Set(
      await Promise.all(
        answers
          .filter((answer) => answer.status === 201)
          .map(async (answer) => JSON.stringify(await answer.json())),
      ),
    );
    expect(ids.size).toBe(1);
    expect(await postsOf(user)).toEqual(['storm']);
  });

  it("another body under the same key is refused, another user's same key is not", async () => {
    const [user, other] = [await seedUser(), await seedUser()];
    await callJson(201, 'POST', '/v1/posts', {
      token: user.token,
      body: { text: 'a' },
      headers: { 'idempotency-key': 'k' },
    });
    const reused = await createPost(user, 'b', 'k');
    expect(reused.status).toBe(422);
    expect(await reused.json()).toMatchObject({ code: 'idempotency.key_reused' });
    expect((await createPost(other, 'b', 'k')).status).toBe(201);
  });
});
