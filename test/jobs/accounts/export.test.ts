import { strFromU8, unzipSync } from 'fflate';
import { afterEach, describe, expect, it } from 'vitest';
import { headObject, listMultipartUploads, presignObject } from '../../../src/integrations/aws/index.ts';
import { seal } from '../../../src/shared/crypto/envelope.ts';
import { hex, utf8 } from '../../../src/shared/encoding.ts';
import { decodeId, randomIds } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, signToken, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { deliver, deliverEvents, type SentMessage, takeMessages } from '../../support/worker/queues.ts';
import { breakStorage, contextAt, dayMs, type Life, liveALife, sweepAt } from './lives.ts';

interface ExportBody {
  readonly id: string;
  readonly state: string;
  readonly progress_percent: number;
  readonly size_bytes: number | null;
  readonly failure: string | null;
  readonly expires_at: string | null;
  readonly download: { readonly url: string; readonly expires_at: string } | null;
}

const request = (user: TestUser) =>
  callJson<ExportBody>(202, 'POST', '/v1/me/exports', { token: user.token });

const look = (user: TestUser, id: string) =>
  callJson<ExportBody>(200, 'GET', `/v1/me/exports/${id}`, { token: user.token });

const takeRequests = (): SentMessage[] =>
  takeMessages().filter(({ body }) => body.type === 'account.export_requested');

const noticesTo = (user: TestUser) =>
  takeMessages().filter(
    ({ body }) =>
      body.type === 'account.security_notice' &&
      body.data.user_id === user.uuid &&
      body.data.notice === 'export_ready',
  );

async function unzip(url: string): Promise<Record<string, string>> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-disposition')).toMatch(
    /^attachment; filename="social-flow-[\d-]+\.zip"$/,
  );
  const files = unzipSync(new Uint8Array(await response.arrayBuffer()));
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]));
}

const linesOf = (text: string | undefined): Record<string, unknown>[] =>
  (text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const objectOf = async (id: string) => {
  const uuid = decodeId('dataExport', id);
  const [row] = await sqlRows<{ key: string }>('SELECT object_key AS key FROM data_exports WHERE id = $1', [
    uuid,
  ]);
  const { aws } = contextAt(Date.now()).config;
  return { aws, bucket: aws.uploadsBucket, key: row?.key ?? '' };
};

afterEach(() => breakDatabase({ mode: 'none' }));

describe('an export', () => {
  it('holds everything about its user, nothing of others and no secret', async () => {
    const life: Life = await liveALife();
    const { user, friend, word } = life;
    await sqlRows(`UPDATE users SET password_hash = 'the-stored-hash' WHERE id = $1`, [user.uuid]);
    await deliverEvents();
    const asked = await request(user);
    expect(asked).toMatchObject({ state: 'pending', progress_percent: 0, download: null });
    await deliverEvents();
    const ready = await look(user, asked.id);
    expect(ready).toMatchObject({ state: 'ready', progress_percent: 100, failure: null });
    expect(Date.parse(ready.expires_at ?? '') - Date.now()).toBeGreaterThan(6.9 * dayMs);
    const files = await unzip(ready.download?.url ?? '');
    expect(linesOf(files['account.jsonl'])).toEqual([
      expect.objectContaining({ username: word, email: `${word}@example.com`, bio: `I am ${word}` }),
    ]);
    expect(linesOf(files['posts.jsonl'])).toEqual([expect.objectContaining({ text: `words of ${word}` })]);
    expect(linesOf(files['likes.jsonl'])).toEqual([
      expect.objectContaining({ post_id: decodeId('post', life.friendsPostId) }),
    ]);
    for (const [file, column] of [
      ['following', 'followee_id'],
      ['followers', 'follower_id'],
    ] as const)
      expect(linesOf(files[`${file}.jsonl`])).toEqual([expect.objectContaining({ [column]: friend.uuid })]);
    expect(linesOf(files['blocks.jsonl'])).toHaveLength(1);
    expect(linesOf(files['counters.jsonl'])).toEqual([{ followers: 1, following: 1, posts: 1 }]);
    expect(linesOf(files['videos.jsonl'])).toEqual([expect.objectContaining({ title: word })]);
    expect(linesOf(files['uploads.jsonl'])).toEqual([expect.objectContaining({ file_name: `${word}.mp4` })]);
    expect(linesOf(files['sessions.jsonl'])).toEqual([
      expect.objectContaining({ device_name: word, ip: expect.stringContaining('2001:db8::') }),
    ]);
    expect(linesOf(files['passkeys.jsonl'])).toEqual([expect.objectContaining({ name: word })]);
    expect(linesOf(files['username_changes.jsonl'])).toHaveLength(1);
    expect(linesOf(files['security_log.jsonl']).map(({ action }) => action)).toContain('post.create');
    expect(linesOf(files['media.jsonl'])).toEqual([
      expect.objectContaining({ video_id: life.videoUuid, url: expect.stringContaining('X-Amz-Signature') }),
    ]);
    expect(files['README.txt']).toContain(word);
    const everything = Object.values(files).join('\n');
    for (const foreign of ['words of a friend', friend.username, 'the-stored-hash', 'password_hash', 'token'])
      expect(everything, foreign).not.toContain(foreign);
  });

  it('shows the phone number in clear, which is sealed where it is kept', async () => {
    const user = await seedUser();
    const phoneId = randomIds.next();
    const place = { table: 'phone_factors', column: 'sealed_number', rowId: phoneId };
    const sealed = await seal(contextAt(Date.now()).config.encryption, utf8('+351912345678'), place);
    await sqlRows(
      `INSERT INTO totp_factors (user_id, sealed_secret, created_at, confirmed_at, last_step)
       VALUES ($1, decode(repeat('00', 32), 'hex'), now(), now(), 0)`,
      [user.uuid],
    );
    await sqlRows(
      `INSERT INTO phone_factors (id, user_id, sealed_number, verified_at) VALUES ($2, $1, decode($3, 'hex'), now())`,
      [user.uuid, phoneId, hex(sealed)],
    );
    const token = await signToken({
      userUuid: user.uuid,
      sessionUuid: user.sessionUuid,
      claims: { amr: ['pwd', 'otp'] },
    });
    const { id } = await request({ ...user, token });
    await deliverEvents();
    const files = await unzip((await look(user, id)).download?.url ?? '');
    expect(linesOf(files['phone_numbers.jsonl'])).toEqual([
      { number: '+351912345678', verified_at: expect.any(String) },
    ]);
    expect(Object.values(files).join('\n')).not.toContain(hex(sealed));
  });

  it('opens and is complete when it takes several parts', { timeout: 120_000 }, async () => {
    const user = await seedUser();
    const posts = 9_000;
    // Random digits, which deflate to half at best.
    await sqlRows(
      `INSERT INTO posts (id, author_id, text)
       SELECT gen_random_uuid(), $1, (SELECT string_agg(md5(random()::text || n || m), '') FROM generate_series(1, 60) AS m)
       FROM generate_series(1, $2::int) AS n`,
      [user.uuid, posts],
    );
    const { id } = await request(user);
    await deliverEvents();
    const ready = await look(user, id);
    expect(ready).toMatchObject({ state: 'ready', progress_percent: 100 });
    // Parts hold 6 MiB: at least one full one and a rest.
    expect(ready.size_bytes).toBeGreaterThan(7 * 1_024 * 1_024);
    const { aws, bucket, key } = await objectOf(id);
    const stored = await headObject(aws, { bucket, key });
    expect(stored?.sizeBytes).toBe(ready.size_bytes);
    expect(stored?.etag).toMatch(/-\d+"?$/);
    const files = await unzip(ready.download?.url ?? '');
    const texts = linesOf(files['posts.jsonl']).map(({ text }) => text);
    expect(texts).toHaveLength(posts);
    const kept = await sqlRows<{ text: string }>('SELECT text FROM posts WHERE author_id = $1', [user.uuid]);
    expect(new Set(texts)).toEqual(new Set(kept.map(({ text }) => text)));
  });

  it('has links that run out by time', async () => {
    const user = await seedUser();
    const { id } = await request(user);
    await deliverEvents();
    const { download } = await look(user, id);
    const lifeSeconds = Number(new URL(download?.url ?? '').searchParams.get('X-Amz-Expires'));
    expect(lifeSeconds).toBe(3_600);
    const { aws, bucket, key } = await objectOf(id);
    const linkMadeAgo = (seconds: number) =>
      presignObject(aws, { bucket, key }, { ttlSeconds: lifeSeconds, nowMs: Date.now() - seconds * 1_000 });
    expect((await fetch(await linkMadeAgo(lifeSeconds - 60))).status).toBe(200);
    const late = await fetch(await linkMadeAgo(lifeSeconds + 1));
    expect(late.status).toBe(403);
    expect(await late.text()).toContain('expired');
  });

  it('is found by who lost its id, in pages, and not in the list of others', async () => {
    const [user, other] = [await seedUser(), await seedUser()];
    const list = (token: string, query = '') =>
      callJson<{ data: ExportBody[]; next_cursor: string | null }>(200, 'GET', `/v1/me/exports${query}`, {
        token,
      });
    const first = await request(user);
    await deliverEvents();
    const second = await request(user);
    await deliverEvents();
    expect((await list(other.token)).data).toEqual([]);
    const page = await list(user.token, '?limit=1');
    expect(page.data).toEqual([expect.objectContaining({ id: second.id, state: 'ready', download: null })]);
    const rest = await list(user.token, `?limit=1&cursor=${page.next_cursor}`);
    expect(rest).toMatchObject({ data: [{ id: first.id }], next_cursor: null });
    const foreign = await call('GET', `/v1/me/exports?cursor=${page.next_cursor}`, { token: other.token });
    expect(foreign.status).toBe(400);
  });

  it('is nobody else’s, and its link can be made anew', async () => {
    const [user, other] = [await seedUser(), await seedUser()];
    const { id } = await request(user);
    await deliverEvents();
    const refused = await call('GET', `/v1/me/exports/${id}`, { token: other.token });
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ code: 'accounts.export_not_found' });
    expect(
      (await call('GET', `/v1/me/exports/${id.replace('exp', 'vid')}`, { token: user.token })).status,
    ).toBe(404);
    const { download } = await look(user, id);
    expect(Date.parse(download?.expires_at ?? '') - Date.now()).toBeLessThanOrEqual(3_600_000);
    const url = new URL(download?.url ?? '');
    url.searchParams.set('X-Amz-Expires', '604800');
    expect((await fetch(url)).status).toBe(403);
    expect((await fetch(`${url.origin}${url.pathname}`)).status).toBe(403);
  });

  it('is made one at a time and twice a day', async () => {
    const user = await seedUser();
    const both = await Promise.all([1, 2].map(() => call('POST', '/v1/me/exports', { token: user.token })));
    expect(both.map(({ status }) => status).sort()).toEqual([202, 409]);
    await deliverEvents();
    await request(user);
    await deliverEvents();
    const third = await call('POST', '/v1/me/exports', { token: user.token });
    expect(third.status).toBe(429);
    expect(await third.json()).toMatchObject({ code: 'accounts.export_limit' });
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(86_000);
    expect(await sqlRows('SELECT 1 FROM data_exports WHERE user_id = $1', [user.uuid])).toHaveLength(2);
  });

  it('is made once by a message that comes three times, in a row and at once', async () => {
    const user = await seedUser();
    const { id } = await request(user);
    const messages = takeRequests();
    expect(messages).toHaveLength(1);
    await Promise.all([deliver(messages), deliver(messages), deliver(messages)]);
    await deliver(messages);
    expect((await look(user, id)).state).toBe('ready');
    expect(noticesTo(user)).toHaveLength(1);
    const [row] = await sqlRows('SELECT attempts FROM data_exports WHERE user_id = $1', [user.uuid]);
    expect(row).toEqual({ attempts: 1 });
  });

  it('comes to one finished archive whichever call to storage fails', { timeout: 120_000 }, async () => {
    for (const skip of [0, 1, 2, 3]) {
      const user = await seedUser();
      const { id } = await request(user);
      const messages = takeRequests();
      const repair = breakStorage(skip);
      const { retried } = await deliver(messages).finally(repair);
      expect(retried, `call ${skip}`).toBe(1);
      expect(await look(user, id)).toMatchObject({ state: 'running', download: null });
      await deliver(messages);
      const ready = await look(user, id);
      expect(ready.state).toBe('ready');
      expect(Object.keys(await unzip(ready.download?.url ?? ''))).toContain('README.txt');
      expect(noticesTo(user)).toHaveLength(1);
      const { aws, bucket, key } = await objectOf(id);
      expect(await listMultipartUploads(aws, { bucket, prefix: key })).toEqual([]);
    }
  });

  it('comes to one finished archive wherever the database is lost for good', {
    timeout: 120_000,
  }, async () => {
    for (const skip of [0, 1, 5, 26, 60]) {
      for (const when of ['before', 'after'] as const) {
        const user = await seedUser();
        const { id } = await request(user);
        const messages = takeRequests();
        await breakDatabase({ mode: 'error', sqlstate: 'XX000', skip, when });
        await deliver(messages);
        await breakDatabase({ mode: 'none' });
        // The run is gone with its claim, which has to run out before the sweep asks again.
        await sqlRows(
          `UPDATE data_exports SET requested_at = now() - interval '1 hour',
          claimed_until = now() - interval '1 minute' WHERE user_id = $1 AND state <> 'ready'`,
          [user.uuid],
        );
        takeRequests();
        await sweepAt(Date.now());
        await deliver(takeRequests());
        expect(await look(user, id), `${when} ${skip}`).toMatchObject({ state: 'ready' });
        const told = await sqlRows(
          `SELECT 1 FROM outbox WHERE type = 'account.security_notice' AND payload ->> 'user_id' = $1`,
          [user.uuid],
        );
        expect(told.length + noticesTo(user).length).toBeLessThanOrEqual(1);
      }
    }
  });

  it('is given up with a reason after five failures, and may be asked for again', async () => {
    const user = await seedUser();
    const { id } = await request(user);
    const messages = takeRequests();
    const repair = breakStorage(0);
    for (let attempt = 0; attempt < 5; attempt += 1) await deliver(messages);
    repair();
    expect(await look(user, id)).toMatchObject({
      state: 'failed',
      failure: 'storage_unavailable',
      download: null,
    });
    await deliver(messages);
    expect((await look(user, id)).state).toBe('failed');
    await request(user);
    takeMessages();
  });

  it('is removed with its file when its time is over', async () => {
    const user = await seedUser();
    const { id } = await request(user);
    await deliverEvents();
    const { aws, bucket, key } = await objectOf(id);
    await sweepAt(Date.now() + 6 * dayMs);
    expect(await headObject(aws, { bucket, key })).toBeDefined();
    await sweepAt(Date.now() + 8 * dayMs);
    expect(await headObject(aws, { bucket, key })).toBeUndefined();
    expect((await call('GET', `/v1/me/exports/${id}`, { token: user.token })).status).toBe(404);
  });

  it('needs a recent login', async () => {
    const user = await seedUser();
    await sqlRows(`UPDATE sessions SET revoked_at = now(), revoked_reason = 'logout' WHERE id = $1`, [
      user.sessionUuid,
    ]);
    expect((await call('POST', '/v1/me/exports', { token: user.token })).status).toBe(401);
    expect(await sqlRows('SELECT 1 FROM data_exports WHERE user_id = $1', [user.uuid])).toEqual([]);
  });
});
