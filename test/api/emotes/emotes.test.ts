import { describe, expect, it } from 'vitest';
import { getObject } from '../../../src/integrations/aws/index.ts';
import { eraseEmotes } from '../../../src/modules/emotes/index.ts';
import { type ChatClient, until } from '../../support/worker/chat.ts';
import { announceStream, enterChat, sayInChat } from '../../support/worker/chat-calls.ts';
import {
  call,
  callJson,
  roundTripsOf,
  seedUser,
  sqlRows,
  type TestUser,
} from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import { gifOf, pngOf } from '../../unit/emotes/pictures.ts';
import { seedStaff } from '../admin/staff.ts';
import { problemOf } from '../auth/accounts.ts';

interface Emote {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly reason: string | null;
  readonly images: Record<string, string> | null;
}

const red = pngOf(128, () => [200, 0, 0, 255]);

async function send(owner: TestUser, bytes: Uint8Array<ArrayBuffer>, purpose = 'emote'): Promise<string> {
  const file = await callJson<{ id: string; url: string; headers: Record<string, string> }>(
    201,
    'POST',
    '/v1/me/side-files',
    { token: owner.token, body: { purpose, size_bytes: bytes.length } },
  );
  expect((await fetch(file.url, { method: 'PUT', headers: file.headers, body: bytes })).status).toBe(200);
  return file.id;
}
const create = async (owner: TestUser, name: string, more: Record<string, unknown> = {}, bytes = red) =>
  call('POST', '/v1/me/emotes', {
    token: owner.token,
    body: { name, file_id: await send(owner, bytes), ...more },
  });
const made = async (owner: TestUser, name: string, more = {}, bytes = red): Promise<Emote> => {
  const response = await create(owner, name, more, bytes);
  expect(response.status).toBe(201);
  return response.json();
};
const decide = (staff: TestUser, emote: Emote, verdict: 'approve' | 'reject', reason = 'for the test') =>
  call('POST', `/v1/admin/emotes/${emote.id}/${verdict}`, {
    token: staff.token,
    ...(verdict === 'reject' ? { body: { reason } } : {}),
  });
const own = async (owner: TestUser) =>
  (await callJson<{ data: Emote[] }>(200, 'GET', '/v1/me/emotes', { token: owner.token })).data;
const announce = async (owner: TestUser, visibility = 'public') =>
  (
    await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
      token: owner.token,
      body: { title: 'Live', visibility },
    })
  ).id;
const ofRoom = (stream: string, token?: string) =>
  callJson<{ global: { name: string }[]; channel: Emote[]; template: string }>(
    200,
    'GET',
    `/v1/streams/${stream}/chat/emotes`,
    { token },
  );
const isShown = async (emote: Emote, file = '112.png'): Promise<boolean> => {
  const { aws } = contextOf().config;
  try {
    await getObject(aws, { bucket: aws.mediaBucket, key: `open/emotes/${emote.id}/${file}` }, 1_000_000);
    return true;
  } catch {
    return false;
  }
};

describe('an emote', () => {
  it('waits for its review, is then open to all, and stands among those of its room', async () => {
    const [owner, moderator] = [await seedUser(), await seedStaff('moderator')];
    const stream = await announce(owner);
    const emote = await made(owner, 'RedSquare', { members_only: true });
    expect(emote).toMatchObject({ name: 'RedSquare', state: 'pending', images: null });
    expect(await isShown(emote)).toBe(false);
    expect((await ofRoom(stream)).channel).toEqual([]);

    const waiting = await callJson<{ data: { id: string; preview_url: string; owner: { id: string } }[] }>(
      200,
      'GET',
      '/v1/admin/emotes?limit=100',
      { token: moderator.token },
    );
    const item = waiting.data.find(({ id }) => id === emote.id);
    expect(item?.owner.id).toBe(owner.id);
    expect((await fetch(item?.preview_url ?? '')).headers.get('content-type')).toBe('image/png');

    expect((await decide(moderator, emote, 'approve')).status).toBe(204);
    const [mine] = await own(owner);
    expect(Object.keys(mine?.images ?? {})).toEqual(['28', '56', '112']);
    for (const size of ['28', '56', '112']) expect(await isShown(emote, `${size}.png`)).toBe(true);
    const room = await ofRoom(stream);
    expect(room.channel).toEqual([
      { id: emote.id, name: 'RedSquare', format: 'png', members_only: true, images: mine?.images },
    ]);
    expect(room.global.map(({ name }) => name)).toContain('fire');
    expect(
      room.template.replace('{emote_id}', emote.id).replace('{size}', '56').replace('{format}', 'png'),
    ).toBe(mine?.images?.['56']);
    const response = await call('GET', `/v1/streams/${stream}/chat/emotes`);
    expect((await roundTripsOf(response)).roundTrips).toBe(2);
  });

  it('is decided on once, by whoever comes first', async () => {
    const [owner, one, two] = [await seedUser(), await seedStaff('moderator'), await seedStaff('admin')];
    const emote = await made(owner, 'Twice');
    const answers = await Promise.all([decide(one, emote, 'approve'), decide(two, emote, 'approve')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect(await isShown(emote)).toBe(true);

    const other = await made(owner, 'Contested');
    const verdicts = await Promise.all([decide(one, other, 'approve'), decide(two, other, 'reject')]);
    const state = (await own(owner)).find(({ id }) => id === other.id)?.state;
    // Rejected before or after it was approved: either way nothing is shown of it.
    expect(state).toBe('rejected');
    expect(verdicts[1]?.status).toBe(204);
    expect(await isShown(other)).toBe(false);
  });

  it('is refused with a reason, and taken down when it is in use', async () => {
    const [owner, moderator] = [await seedUser(), await seedStaff('moderator')];
    const stream = await announce(owner);
    const emote = await made(owner, 'Later');
    await decide(moderator, emote, 'approve');
    expect((await decide(moderator, emote, 'reject', 'It is a trademark.')).status).toBe(204);
    expect(await isShown(emote)).toBe(false);
    expect((await own(owner))[0]).toMatchObject({ state: 'rejected', reason: 'It is a trademark.' });
    expect((await ofRoom(stream)).channel).toEqual([]);
    expect(await problemOf(await decide(moderator, emote, 'approve'))).toMatchObject({
      status: 409,
      code: 'emotes.decided',
    });
    expect((await made(owner, 'Later')).state).toBe('pending');
  });

  it('may move, as a GIF of its size', async () => {
    const [owner, moderator] = [await seedUser(), await seedStaff('moderator')];
    const response = await call('POST', '/v1/me/emotes', {
      token: owner.token,
      body: { name: 'Moves', file_id: await send(owner, gifOf({ frames: 4 }), 'animated_emote') },
    });
    const emote = (await response.json()) as Emote;
    expect((await decide(moderator, emote, 'approve')).status).toBe(204);
    expect(await isShown(emote, '112.gif')).toBe(true);
    expect(Object.keys((await own(owner))[0]?.images ?? {})).toEqual(['112']);
  });

  it('has a name of its own, and a picture that is one', async () => {
    const owner = await seedUser();
    await made(owner, 'Mine');
    for (const name of ['mine', 'Fire', 'heart'])
      expect(await problemOf(await create(owner, name)), name).toMatchObject({ code: 'emotes.name_taken' });
    expect((await made(await seedUser(), 'Mine')).name).toBe('Mine');
    expect(
      await problemOf(
        await create(
          owner,
          'Small',
          {},
          pngOf(64, () => [0, 0, 0, 255]),
        ),
      ),
    ).toMatchObject({
      status: 422,
      code: 'emotes.unusable',
      errors: [{ pointer: '/file_id', code: 'wrong_size' }],
    });
    expect(
      await problemOf(
        await create(owner, 'Text', {}, Uint8Array.from(new TextEncoder().encode('no picture'.repeat(20)))),
      ),
    ).toMatchObject({ code: 'emotes.unusable' });
    for (const name of ['a', 'with space', 'naïve', 'x'.repeat(33)])
      expect((await create(owner, name)).status, name).toBe(422);
  });

  it('cannot be made of a file of somebody else', async () => {
    const [owner, thief] = [await seedUser(), await seedUser()];
    const fileId = await send(owner, red);
    const answer = await call('POST', '/v1/me/emotes', {
      token: thief.token,
      body: { name: 'Stolen', file_id: fileId },
    });
    expect(await problemOf(answer)).toMatchObject({ status: 422, code: 'side_files.missing' });
  });

  it('is one of a hundred at most, also when two come at once for the last place', async () => {
    const owner = await seedUser();
    await sqlRows(
      `INSERT INTO emotes (id, owner_id, name, format)
       SELECT gen_random_uuid(), $1, 'filler' || n, 'png' FROM generate_series(1, 99) AS n`,
      [owner.uuid],
    );
    expect((await create(owner, 'last')).status).toBe(201);
    expect(await problemOf(await create(owner, 'beyond'))).toMatchObject({ code: 'emotes.too_many' });
  });

  it('goes when its owner deletes it, but old messages go on showing it', async () => {
    const [owner, moderator, stranger] = [await seedUser(), await seedStaff('moderator'), await seedUser()];
    const stream = await announce(owner);
    const emote = await made(owner, 'Gone');
    await decide(moderator, emote, 'approve');
    const remove = (by: TestUser) => call('DELETE', `/v1/me/emotes/${emote.id}`, { token: by.token });
    expect((await remove(stranger)).status).toBe(404);
    expect((await remove(owner)).status).toBe(204);
    expect((await remove(owner)).status).toBe(404);
    expect(await own(owner)).toEqual([]);
    expect((await ofRoom(stream)).channel).toEqual([]);
    expect(await isShown(emote)).toBe(true);
    expect((await made(owner, 'Gone')).state).toBe('pending');
  });

  it('is erased with its owner, pictures and all', async () => {
    const [owner, moderator] = [await seedUser(), await seedStaff('moderator')];
    const emotes = [await made(owner, 'One'), await made(owner, 'Two')];
    for (const emote of emotes) await decide(moderator, emote, 'approve');
    await call('DELETE', `/v1/me/emotes/${emotes[0]?.id}`, { token: owner.token });
    expect(await eraseEmotes(contextOf(), owner.uuid)).toBe(true);
    for (const emote of emotes) expect(await isShown(emote)).toBe(false);
    expect(await sqlRows('SELECT 1 FROM emotes WHERE owner_id = $1', [owner.uuid])).toEqual([]);
  });
});

describe('in chat', () => {
  const lookOf = async (client: ChatClient, place: number) => {
    await until(() => client.events.length > place, 'it is told');
    const event = client.events[place]?.event;
    return event?.type === 'message' ? event.fragments : event;
  };

  it('an emote can be used where its channel is talked about, from its approval to its end', async () => {
    const [owner, ada, moderator] = [await seedUser(), await seedUser(), await seedStaff('moderator')];
    const stream = await announceStream(owner);
    const client = await enterChat(stream, ada);
    const emote = await made(owner, 'OurFox');
    await sayInChat(stream, ada, ':OurFox: soon');
    expect(await lookOf(client, 0)).toEqual([{ type: 'text', text: ':OurFox: soon' }]);
    await decide(moderator, emote, 'approve');
    const isKnown = async () => {
      await sayInChat(stream, ada, `:OurFox: ${crypto.randomUUID()}`);
      return JSON.stringify(await lookOf(client, client.events.length)).includes('"emote"');
    };
    await until(isKnown, 'the room knows of it');
    await sayInChat(stream, ada, ':OurFox: :fire: now');
    expect(await lookOf(client, client.events.length)).toEqual([
      { type: 'emote', text: ':OurFox:', name: 'OurFox', emote_id: emote.id, format: 'png' },
      { type: 'text', text: ' ' },
      { type: 'emote', text: ':fire:', name: 'fire', emoji: '🔥' },
      { type: 'text', text: ' now' },
    ]);
    await call('DELETE', `/v1/me/emotes/${emote.id}`, { token: owner.token });
    await until(async () => !(await isKnown()), 'the room has forgotten it');
    client.socket.close(1000);
  });

  it('an emote of members is for members and the owner', async () => {
    const [owner, ada, moderator] = [await seedUser(), await seedUser(), await seedStaff('moderator')];
    await decide(moderator, await made(owner, 'Inner', { members_only: true }), 'approve');
    const stream = await announceStream(owner);
    const client = await enterChat(stream, ada);
    await sayInChat(stream, ada, ':Inner: as a guest');
    expect(await lookOf(client, 0)).toMatchObject([{ type: 'text' }]);
    await sayInChat(stream, owner, ':Inner: as the owner');
    expect(await lookOf(client, 1)).toMatchObject([{ type: 'emote', name: 'Inner' }, {}]);
    await sqlRows('INSERT INTO channel_members (owner_id, user_id) VALUES ($1, $2)', [owner.uuid, ada.uuid]);
    (await enterChat(stream, ada)).socket.close(1000);
    await sayInChat(stream, ada, ':Inner: as a member');
    expect(await lookOf(client, 2)).toMatchObject([{ type: 'emote', name: 'Inner' }, {}]);
    client.socket.close(1000);
  });

  it('a name has the colour its owner chose', async () => {
    const [owner, ada] = [await seedUser(), await seedUser()];
    const stream = await announceStream(owner);
    await call('PUT', '/v1/me/chat-profile', { token: ada.token, body: { color: '#1e90ff' } });
    const client = await enterChat(stream, ada);
    await sayInChat(stream, ada, 'in blue');
    await sayInChat(stream, owner, 'as it comes');
    await until(() => client.events.length === 2, 'both are told');
    expect(client.events[0]?.event).toMatchObject({ author: { color: '#1e90ff' } });
    expect(client.events[1]?.event).not.toHaveProperty('author.color');
    client.socket.close(1000);
  });
});

it('the emotes of a room are shown to those who see its stream', async () => {
  const [owner, stranger] = [await seedUser(), await seedUser()];
  const stream = await announce(owner, 'private');
  expect((await ofRoom(stream, owner.token)).channel).toEqual([]);
  expect((await call('GET', `/v1/streams/${stream}/chat/emotes`, { token: stranger.token })).status).toBe(
    404,
  );
});

it('a colour is chosen for one’s name, and given back', async () => {
  const ada = await seedUser();
  const profile = (color: unknown) =>
    call('PUT', '/v1/me/chat-profile', { token: ada.token, body: { color } });
  const now = () => callJson(200, 'GET', '/v1/me/chat-profile', { token: ada.token });
  expect(await now()).toEqual({ color: null });
  expect(await (await profile('#1E90FF')).json()).toEqual({ color: '#1e90ff' });
  expect(await now()).toEqual({ color: '#1e90ff' });
  for (const bad of ['red', '#12345', '#12345g', 7]) expect((await profile(bad)).status).toBe(422);
  expect(await (await profile(null)).json()).toEqual({ color: null });
});
