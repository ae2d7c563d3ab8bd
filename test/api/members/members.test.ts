import { beforeAll, describe, expect, it } from 'vitest';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';

interface MemberPage {
  readonly data: readonly { readonly user: { readonly id: string }; readonly expires_at: string | null }[];
  readonly next_cursor: string | null;
}

let owner: TestUser;
beforeAll(async () => {
  owner = await seedUser();
});

const grant = (userId: string, body: unknown = {}, by = owner) =>
  call('PUT', `/v1/me/members/${userId}`, { token: by.token, body });

const codeOf = async (response: Response): Promise<[number, unknown]> => {
  const body = (await response.json()) as { code?: string };
  return [response.status, body.code];
};

describe('members of a channel', () => {
  it('are granted, listed latest first, and ended', async () => {
    const channel = await seedUser();
    const people = [await seedUser(), await seedUser(), await seedUser()];
    for (const person of people) {
      const response = await grant(person.id, {}, channel);
      expect([response.status, await roundTripsOf(response)]).toMatchObject([200, { roundTrips: 1 }]);
    }
    // Granting again changes until when, and nothing else.
    expect((await grant(people[0]?.id ?? '', { expires_at: '2099-01-01T00:00:00Z' }, channel)).status).toBe(
      200,
    );
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const list: MemberPage = await callJson(200, 'GET', `/v1/me/members?limit=2${query}`, {
        token: channel.token,
      });
      seen.push(...list.data.map(({ user }) => user.id));
      cursor = list.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual(people.map(({ id }) => id).toReversed());
    expect((await call('DELETE', `/v1/me/members/${people[1]?.id}`, { token: channel.token })).status).toBe(
      200,
    );
    expect((await call('DELETE', `/v1/me/members/${people[1]?.id}`, { token: channel.token })).status).toBe(
      200,
    );
    const list = await callJson<MemberPage>(200, 'GET', '/v1/me/members', { token: channel.token });
    expect(list.data.map(({ user }) => user.id)).toEqual([people[2]?.id, people[0]?.id]);
    expect(list.data[1]?.expires_at).toBe('2099-01-01T00:00:00.000Z');
    // Somebody else's members are not mine.
    const other = await callJson<MemberPage>(200, 'GET', '/v1/me/members', { token: owner.token });
    expect(other.data).toEqual([]);
  });

  it('see what is for members, until their time is over', async () => {
    const [channel, member, other] = [await seedUser(), await seedUser(), await seedUser()];
    const uuid = randomIds.next();
    await sqlRows(
      `INSERT INTO videos (id, owner_id, title, state, visibility, published_at, hls_key, dash_key)
       VALUES ($1, $2, 'for members', 'published', 'members', now(), 'media/x.m3u8', 'media/x.mpd')`,
      [uuid, channel.uuid],
    );
    const statusFor = async (user?: TestUser) =>
      (await call('GET', `/v1/videos/${encodeId('video', uuid)}`, { token: user?.token })).status;
    await grant(member.id, {}, channel);
    expect([
      await statusFor(member),
      await statusFor(other),
      await statusFor(),
      await statusFor(channel),
    ]).toEqual([200, 404, 404, 200]);
    const listOf = async (user: TestUser) =>
      (
        await callJson<{ data: unknown[] }>(200, 'GET', `/v1/users/${channel.id}/videos`, {
          token: user.token,
        })
      ).data.length;
    expect([await listOf(member), await listOf(other)]).toEqual([1, 0]);
    await sqlRows("UPDATE channel_members SET expires_at = now() - interval '1 second' WHERE user_id = $1", [
      member.uuid,
    ]);
    expect([await statusFor(member), await listOf(member)]).toEqual([404, 0]);
  });

  it('cannot be strangers to the platform, oneself, or somebody behind a block', async () => {
    expect(await codeOf(await grant(owner.id))).toEqual([422, 'members.self']);
    expect(await codeOf(await grant(encodeId('user', randomIds.next())))).toEqual([404, 'users.not_found']);
    const blocked = await seedUser();
    await callJson(200, 'PUT', `/v1/users/${owner.id}/block`, { token: blocked.token });
    expect(await codeOf(await grant(blocked.id))).toEqual([404, 'users.not_found']);
    const gone = await seedUser();
    await sqlRows("UPDATE users SET status = 'suspended' WHERE id = $1", [gone.uuid]);
    expect(await codeOf(await grant(gone.id))).toEqual([404, 'users.not_found']);
  });

  it('have an end that is a moment in the future, or none', async () => {
    const person = await seedUser();
    expect(await codeOf(await grant(person.id, { expires_at: '2020-01-01T00:00:00Z' }))).toEqual([
      422,
      'members.expired',
    ]);
    for (const body of [
      { expires_at: 'soon' },
      { expires_at: 7 },
      { until: null },
      { expires_at: '9'.repeat(50) },
      [],
    ])
      expect((await grant(person.id, body)).status).toBe(422);
    expect((await grant(person.id, { expires_at: null })).status).toBe(200);
  });
});

describe('PUT /v1/me/birth-date', () => {
  const state = (user: TestUser, birthDate: unknown) =>
    call('PUT', '/v1/me/birth-date', { token: user.token, body: { birth_date: birthDate } });

  it('keeps a date sealed, once, and shows it to nobody', async () => {
    const user = await seedUser();
    expect((await state(user, '1990-12-31')).status).toBe(200);
    expect((await state(user, '1990-12-31')).status).toBe(200);
    expect(await codeOf(await state(user, '1980-01-01'))).toEqual([409, 'users.birth_date_fixed']);
    const rows = await sqlRows<{ text: string }>(
      "SELECT encode(sealed_date, 'escape') AS text FROM birth_dates WHERE user_id = $1",
      [user.uuid],
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.text).not.toContain('1990');
    for (const path of ['/v1/me', `/v1/users/${user.username}`])
      expect(await (await call('GET', path, { token: user.token })).text()).not.toContain('1990');
  });

  it('refuses what is no date of birth', async () => {
    const user = await seedUser();
    for (const date of [
      '2999-01-01',
      '1850-01-01',
      '1990-02-30',
      '90-1-1',
      '',
      null,
      19900101,
      '1990-01-01T00:00:00Z',
    ])
      expect((await state(user, date)).status).toBe(422);
    expect((await call('PUT', '/v1/me/birth-date', { body: { birth_date: '1990-01-01' } })).status).toBe(401);
  });
});
