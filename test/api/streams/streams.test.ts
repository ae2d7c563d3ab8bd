import { describe, expect, it } from 'vitest';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';

interface Stream {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly scheduled_at: string | null;
}

const announce = (owner: TestUser, body: Record<string, unknown> = {}) =>
  callJson<Stream>(201, 'POST', '/v1/streams', { token: owner.token, body: { title: 'Live', ...body } });
const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
const statusFor = async (stream: Stream, token?: string) =>
  (await call('GET', `/v1/streams/${stream.id}`, { token })).status;
const listOf = async (owner: TestUser, token?: string) => {
  const { data } = await callJson<{ data: Stream[] }>(200, 'GET', `/v1/users/${owner.id}/streams`, { token });
  return data.map(({ id }) => id);
};

describe('a stream', () => {
  it('is announced, found, changed and canceled, each in one trip', async () => {
    const owner = await seedUser();
    const response = await call('POST', '/v1/streams', {
      token: owner.token,
      body: { title: ' Launch ', scheduled_at: inHours(2) },
    });
    expect((await roundTripsOf(response)).roundTrips).toBe(1);
    const stream = (await response.clone().json()) as Stream;
    expect(stream).toMatchObject({ title: 'Launch', state: 'scheduled' });
    const found = await call('GET', `/v1/streams/${stream.id}`, {});
    expect([found.status, (await roundTripsOf(found)).roundTrips]).toEqual([200, 1]);
    const changed = await call('PATCH', `/v1/streams/${stream.id}`, {
      token: owner.token,
      body: { title: 'Later', scheduled_at: null },
    });
    expect((await roundTripsOf(changed)).roundTrips).toBe(1);
    expect(await changed.json()).toMatchObject({ title: 'Later', scheduled_at: null });
    for (let again = 0; again < 2; again += 1)
      expect((await call('DELETE', `/v1/streams/${stream.id}`, { token: owner.token })).status).toBe(204);
    expect(await statusFor(stream)).toBe(404);
    expect(await statusFor(stream, owner.token)).toBe(200);
    expect(
      (await call('PATCH', `/v1/streams/${stream.id}`, { token: owner.token, body: { title: 'x' } })).status,
    ).toBe(404);
  });

  it('is shown to whom its visibility says, and to nobody the owner blocks', async () => {
    const [owner, follower, member, stranger, blocked] = await Promise.all(
      Array.from({ length: 5 }, () => seedUser()),
    );
    if (!owner || !follower || !member || !stranger || !blocked) return;
    await sqlRows('INSERT INTO follows (follower_id, followee_id) VALUES ($1, $2)', [
      follower.uuid,
      owner.uuid,
    ]);
    await sqlRows('INSERT INTO channel_members (owner_id, user_id) VALUES ($1, $2)', [
      owner.uuid,
      member.uuid,
    ]);
    await sqlRows('INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)', [owner.uuid, blocked.uuid]);
    const callers = [undefined, owner.token, follower.token, member.token, stranger.token, blocked.token];
    const expected = {
      public: [200, 200, 200, 200, 200, 404],
      unlisted: [200, 200, 200, 200, 200, 404],
      private: [404, 200, 404, 404, 404, 404],
      followers: [404, 200, 200, 404, 404, 404],
      members: [404, 200, 404, 200, 404, 404],
    };
    const streams: Record<string, Stream> = {};
    for (const [visibility, statuses] of Object.entries(expected)) {
      const stream = await announce(owner, { visibility });
      streams[visibility] = stream;
      const seen = [];
      for (const token of callers) seen.push(await statusFor(stream, token));
      expect(seen, visibility).toEqual(statuses);
    }
    expect(await listOf(owner)).toEqual([streams.public?.id]);
    expect(await listOf(owner, member.token)).toEqual([streams.members?.id, streams.public?.id]);
    expect(await listOf(owner, owner.token)).toHaveLength(5);
    expect((await call('GET', `/v1/users/${owner.id}/streams`, { token: blocked.token })).status).toBe(404);
  });

  it.each([
    [{ title: '' }, 422],
    [{ title: 'x'.repeat(151) }, 422],
    [{ title: 'Live', visibility: 'secret' }, 422],
    [{ title: 'Live', scheduled_at: 'tomorrow' }, 422],
    [{ title: 'Live', scheduled_at: '2020-01-01T00:00:00Z' }, 422],
    [{ title: 'Live', scheduled_at: '9999-12-31T23:59:59-01:00' }, 422],
    [{ title: 'Live', state: 'live' }, 422],
    [{}, 422],
  ])('is not made of %j', async (body, status) => {
    const owner = await seedUser();
    expect((await call('POST', '/v1/streams', { token: owner.token, body })).status).toBe(status);
    expect(await listOf(owner, owner.token)).toEqual([]);
  });

  it.each([
    ['2100-01-01T12:00:00+23:30', '2099-12-31T12:30:00.000Z'],
    ['2100-01-01T12:00:00.1234567890123456789Z', '2100-01-01T12:00:00.123Z'],
  ])('is announced for a moment however it is written: %s', async (written, moment) => {
    const owner = await seedUser();
    const stream = await announce(owner, { scheduled_at: written });
    expect(stream.scheduled_at).toBe(moment);
    const changed = await call('PATCH', `/v1/streams/${stream.id}`, {
      token: owner.token,
      body: { scheduled_at: written },
    });
    expect(await changed.json()).toMatchObject({ scheduled_at: moment });
  });

  it('is one of two hundred announced ones at most', async () => {
    const owner = await seedUser();
    await sqlRows(
      `INSERT INTO streams (id, owner_id, title) SELECT gen_random_uuid(), $1, 'Live' FROM generate_series(1, 200)`,
      [owner.uuid],
    );
    const response = await call('POST', '/v1/streams', { token: owner.token, body: { title: 'Live' } });
    expect([response.status, await response.json()]).toMatchObject([409, { code: 'streams.too_many' }]);
  });
});
