import { describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { parseList } from '../../support/worker/structured-fields.ts';

const request = (method: string, viewer: TestUser, target: string) =>
  call(method, `/v1/users/${target}/follow`, { token: viewer.token });

/** Many of one request, some at once. */
async function many(count: number, send: () => Promise<Response>): Promise<number[]> {
  const statuses: number[] = [];
  for (let sent = 0; sent < count; sent += 20)
    statuses.push(
      ...(await Promise.all(Array.from({ length: Math.min(20, count - sent) }, send))).map((r) => r.status),
    );
  return statuses;
}

const leftOf = (response: Response, field = 'ratelimit') => parseList(response.headers.get(field));

describe('following in bulk', () => {
  it('stops after a hundred in an hour, exactly, and says when to come back', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    const first = await request('PUT', bob, ada.id);
    expect(leftOf(first, 'ratelimit-policy')).toMatchObject([
      { value: 'follow-hour', parameters: { q: 100, w: 3_600 } },
      { value: 'follow-day', parameters: { q: 400, w: 86_400 } },
      { value: 'user-budget', parameters: { q: 1_200, w: 60 } },
    ]);
    expect(await many(99, () => request('PUT', bob, ada.id))).toEqual(Array(99).fill(200));
    const refused = await request('PUT', bob, ada.id);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    const retryAfter = Number(refused.headers.get('retry-after'));
    // Nothing comes back before the first of the hundred is an hour old.
    expect(retryAfter).toBeGreaterThan(3_500);
    expect(retryAfter).toBeLessThanOrEqual(3_600);
    const [left] = leftOf(refused);
    expect(left).toMatchObject({ value: 'follow-hour', parameters: { r: 0 } });
    expect(Number(left?.parameters.t)).toBeLessThanOrEqual(retryAfter);
    expect(await refused.json()).toMatchObject({
      code: 'rate_limit.exceeded',
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      'violated-policies': ['follow-hour'],
    });
    const other = await seedUser();
    expect((await request('PUT', other, ada.id)).status).toBe(200);
  });

  it('is exact for 200 who come at once, and the refused change nothing', async () => {
    const bob = await seedUser();
    const targets = await Promise.all(Array.from({ length: 120 }, () => seedUser()));
    const answers = await Promise.all(targets.map((target) => request('PUT', bob, target.id)));
    const refused = answers.filter(({ status }) => status === 429).length;
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(refused).toBe(20);
    const rows = await sqlRows('SELECT 1 FROM follows WHERE follower_id = $1', [bob.uuid]);
    expect(rows).toHaveLength(100);
  });

  it('pays nothing for follows that fail: nobody there, oneself, no such id', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    for (const [target, status] of [
      [encodeId('user', randomIds.next()), 404],
      [bob.id, 422],
      ['usr_nonsense', 404],
    ] as const)
      expect(await many(10, () => request('PUT', bob, target))).toEqual(Array(10).fill(status));
    const followed = await request('PUT', bob, ada.id);
    expect(leftOf(followed)[0]).toMatchObject({ value: 'follow-hour', parameters: { r: 99 } });
  });

  it('leaves the follows alone when unfollowing, which has as many of its own', async () => {
    const [ada, bob] = [await seedUser(), await seedUser()];
    await request('PUT', bob, ada.id);
    expect(await many(100, () => request('DELETE', bob, ada.id))).toEqual(Array(100).fill(200));
    const refused = await request('DELETE', bob, ada.id);
    expect(refused.status).toBe(429);
    expect(leftOf(refused)[0]?.value).toBe('unfollow-hour');
    const followed = await request('PUT', bob, ada.id);
    expect(followed.status).toBe(200);
    expect(leftOf(followed)[0]).toMatchObject({ value: 'follow-hour', parameters: { r: 98 } });
  });
});
