import { env } from 'cloudflare:workers';
import { servicesOf } from '../../../../src/context.ts';
import { newSecret } from '../../../../src/modules/webhook-endpoints/policy/signature.ts';
import { sealSecret } from '../../../../src/modules/webhook-endpoints/usecases/secrets.ts';
import { decodeId, encodeId, type IdKind, randomIds } from '../../../../src/shared/ids.ts';
import { callJson, seedUser, sqlRows, type TestUser } from '../../../support/worker/client.ts';
import { testEnv } from '../../../support/worker/env.ts';
import { startUpload } from '../../../support/worker/films.ts';
import { createKey } from '../../api-keys/keys.ts';

/** How the tests come by what a path parameter names. */
export interface Maker {
  /** Really makes such a thing of this owner's, and returns its public id. */
  readonly make: (owner: TestUser) => Promise<string>;
  /** An id of the same form that names nothing. */
  readonly missing: () => string;
  /** One that exists and that nobody but its owner may know of. */
  readonly hidden?: (owner: TestUser) => Promise<string>;
}

const idOf = (kind: IdKind) => (): string => encodeId(kind, randomIds.next());

const insert = async (kind: IdKind, statement: string, params: readonly unknown[]): Promise<string> => {
  const uuid = randomIds.next();
  await sqlRows(statement, [uuid, ...params]);
  return encodeId(kind, uuid);
};

/**
 * THE registry of path parameters that name things. A route with a parameter that is not here, nor among `words`, fails the
 * matrix: add the parameter with a maker that makes a real thing of the given owner's.
 */
export const makers: Readonly<Record<string, Maker>> = {
  user: { make: async (owner) => owner.username, missing: () => `nobody_${randomIds.next().slice(-8)}` },
  user_id: { make: async (owner) => owner.id, missing: idOf('user') },
  emote_id: {
    make: (owner) =>
      insert('emote', "INSERT INTO emotes (id, owner_id, name, format) VALUES ($1, $2, $3, 'gif')", [
        owner.uuid,
        `e${randomIds.next().replaceAll('-', '').slice(-12)}`,
      ]),
    missing: idOf('emote'),
  },
  session_id: {
    make: (owner) =>
      insert(
        'session',
        `INSERT INTO sessions (id, user_id, amr, auth_time, expires_at) VALUES ($1, $2, '{pwd}', now(), now() + interval '1 day')`,
        [owner.uuid],
      ),
    missing: idOf('session'),
  },
  post_id: {
    make: async (owner) => {
      const body = { text: 'for the matrix' };
      return (await callJson<{ id: string }>(201, 'POST', '/v1/posts', { token: owner.token, body })).id;
    },
    missing: idOf('post'),
  },
  video_id: {
    make: (owner) => insertVideo(owner, 'public'),
    missing: idOf('video'),
    hidden: (owner) => insertVideo(owner, 'private'),
  },
  comment_id: {
    make: (owner) => insertComment(owner, 'public'),
    missing: idOf('comment'),
    hidden: (owner) => insertComment(owner, 'private'),
  },
  playlist_id: {
    make: (owner) => insertPlaylist(owner, 'public'),
    missing: idOf('playlist'),
    hidden: (owner) => insertPlaylist(owner, 'private'),
  },
  playlist_item_id: {
    make: async (owner) =>
      insert(
        'playlistItem',
        'INSERT INTO playlist_items (id, playlist_id, owner_id, video_id, rank) VALUES ($1, $2, $3, $4, 0)',
        [
          decodeId('playlist', await insertPlaylist(owner, 'private')),
          owner.uuid,
          decodeId('video', await insertVideo(owner, 'public')),
        ],
      ),
    missing: idOf('playlistItem'),
  },
  term_id: {
    make: async (owner) =>
      insert('chatTerm', "INSERT INTO chat_terms (id, owner_id, kind, term) VALUES ($1, $2, 'blocked', $3)", [
        owner.uuid,
        `matrix ${randomIds.next()}`,
      ]),
    missing: idOf('chatTerm'),
  },
  unban_request_id: {
    make: async (owner) =>
      insert(
        'unbanRequest',
        `INSERT INTO chat_unban_requests (id, owner_id, user_id, banned_at, text)
         VALUES ($1, $2, $2, now(), 'for the matrix')`,
        [owner.uuid],
      ),
    missing: idOf('unbanRequest'),
  },
  stream_id: {
    make: (owner) => insertStream(owner, 'public'),
    missing: idOf('stream'),
    hidden: (owner) => insertStream(owner, 'private'),
  },
  watched_video_id: {
    make: async (owner) => {
      const id = await insertVideo(owner, 'public');
      await callJson(204, 'PUT', `/v1/videos/${id}/position`, {
        token: owner.token,
        body: { position_ms: 1 },
      });
      return id;
    },
    missing: idOf('video'),
  },
  upload_id: { make: async (owner) => (await startUpload(owner)).id, missing: idOf('upload') },
  key_id: {
    make: async (owner) => (await createKey(owner, ['profile:read'])).api_key.id,
    missing: idOf('apiKey'),
  },
  endpoint_id: {
    make: (owner) => insertEndpoint(owner),
    missing: idOf('webhookEndpoint'),
  },
  delivery_id: {
    make: async (owner) =>
      insert(
        'webhookDelivery',
        `INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, body, state, failure_reason, created_at, finished_at)
         SELECT $1::uuid, id, $1::uuid, 'video.deleted', '{}', 'failed', 'exhausted', now(), now()
         FROM webhook_endpoints WHERE user_id = $2 ORDER BY id DESC LIMIT 1`,
        [owner.uuid],
      ),
    missing: idOf('webhookDelivery'),
  },
  passkey_id: {
    make: (owner) =>
      insert(
        'passkey',
        `INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, transports, backup_eligible, backed_up, aaguid, name, created_at)
         VALUES ($1, $2, uuid_send(gen_random_uuid()), decode(repeat('00', 32), 'hex'), 0, '{internal}', false, false, gen_random_uuid(), 'for the matrix', now())`,
        [owner.uuid],
      ),
    missing: idOf('passkey'),
  },
  identity_id: {
    make: (owner) =>
      insert(
        'identity',
        `INSERT INTO identities (id, user_id, provider, subject, created_at)
         VALUES ($1, $2, 'google', gen_random_uuid()::text, now())
         ON CONFLICT (user_id, provider) DO UPDATE SET id = excluded.id`,
        [owner.uuid],
      ),
    missing: idOf('identity'),
  },
  export_id: {
    make: (owner) =>
      insert(
        'dataExport',
        `INSERT INTO data_exports (id, user_id, state, object_key, failure_code, requested_at) VALUES ($1::uuid, $2, 'failed', $1::text, 'test', now())`,
        [owner.uuid],
      ),
    missing: idOf('dataExport'),
  },
  proposal_id: {
    make: async (owner) =>
      insert(
        'adminProposal',
        `INSERT INTO admin_proposals (id, user_id, proposed_by, reason, created_at, expires_at)
         VALUES ($1, $2, $3, 'for the matrix', now(), now() + interval '1 day')`,
        [(await seedUser()).uuid, owner.uuid],
      ),
    missing: idOf('adminProposal'),
  },
};

const insertVideo = async (owner: TestUser, visibility: string): Promise<string> => {
  const id = await insert(
    'video',
    `INSERT INTO videos (id, owner_id, title, state, visibility, duration_ms, published_at, hls_key, dash_key)
     VALUES ($1, $2, 'for the matrix', 'published', $3, 60000, now(), 'media/x.m3u8', 'media/x.mpd')`,
    [owner.uuid, visibility],
  );
  await sqlRows(
    `INSERT INTO captions (video_id, language, label, kind, object_key, cue_count, size_bytes)
     VALUES ($1, 'en', 'English', 'subtitles', 'media/none.vtt', 1, 1)`,
    [decodeId('video', id)],
  );
  return id;
};

// At an address that is never called, so that nothing leaves.
async function insertEndpoint(owner: TestUser): Promise<string> {
  const uuid = randomIds.next();
  const sealed = await sealSecret(servicesOf(testEnv(env)), uuid, newSecret());
  await sqlRows(
    `INSERT INTO webhook_endpoints (id, user_id, url, sealed_secret, created_at, updated_at)
     VALUES ($1, $2, 'https://127.0.0.1/', decode($3, 'hex'), now(), now())`,
    [uuid, owner.uuid, sealed],
  );
  return encodeId('webhookEndpoint', uuid);
}
/** A comment of the owner's on a video of the owner's. */
const insertComment = async (owner: TestUser, visibility: string): Promise<string> =>
  insert(
    'comment',
    `INSERT INTO comments (id, video_id, owner_id, author_id, text, state, shown_at)
     VALUES ($1, $2, $3, $3, 'for the matrix', 'visible', now())`,
    [decodeId('video', await insertVideo(owner, visibility)), owner.uuid],
  );

const insertPlaylist = (owner: TestUser, visibility: string): Promise<string> =>
  insert(
    'playlist',
    "INSERT INTO playlists (id, owner_id, title, visibility) VALUES ($1, $2, 'for the matrix', $3)",
    [owner.uuid, visibility],
  );

const insertStream = (owner: TestUser, visibility: string): Promise<string> =>
  insert(
    'stream',
    "INSERT INTO streams (id, owner_id, title, visibility) VALUES ($1, $2, 'for the matrix', $3)",
    [owner.uuid, visibility],
  );

/** Path parameters that are words and name nothing of anybody's. */
export const words: Readonly<Record<string, string>> = {
  file: 'index.html',
  script: 'player.js',
  role: 'creator',
  provider: 'google',
  language: 'en',
  // Of a deletion a provider asked for; it says only whether that is done.
  code: 'no-such-deletion',
};

/** Bodies that pass validation, by operation: routes that take ids and a body need one, to get as far as the ids. */
export const bodies: Readonly<Record<string, unknown>> = {
  updateVideo: { title: 'another title' },
  putCaptions: { label: 'English', text: 'WEBVTT\n\n00:01.000 --> 00:02.000\nfor the matrix\n' },
  createClip: { start_ms: 0, end_ms: 1_000 },
  changeEncoding: { downloads_enabled: false },
  createComment: { text: 'for the matrix' },
  updateComment: { text: 'for the matrix' },
  updatePlaylist: { title: 'another title' },
  addPlaylistItem: { video_id: encodeId('video', randomIds.next()) },
  movePlaylistItem: { after_item_id: null },
  savePosition: { position_ms: 1 },
  rateVideo: { rating: 'like' },
  signParts: { part_numbers: [1] },
  startThumbnail: { content_type: 'image/png', size_bytes: 1_000 },
  setThumbnail: { position: null },
  startReplacement: { file_name: 'a.mp4', size_bytes: 1_000, content_type: 'video/mp4' },
  acknowledgeParts: { parts: [{ part_number: 1, etag: '"9b2cf535f27731c974343645a3985328"' }] },
  completeUpload: { parts: [{ part_number: 1, etag: '"9b2cf535f27731c974343645a3985328"' }] },
  renameApiKey: { name: 'another name' },
  renamePasskey: { name: 'another name' },
  updateWebhookEndpoint: { description: 'another description' },
  rotateWebhookSecret: {},
  replayFailedWebhooks: { since: new Date(Date.now() - 1_000).toISOString() },
  grantMembership: {},
  requestPlayback: {},
  unlockVideo: { password: 'not the password' },
  startWatchSession: {},
  sendHeartbeat: { session_token: 'of no session', seq: 1, intervals: [], position_ms: 0 },
  suspendUser: { reason: 'for the matrix' },
  unsuspendUser: { reason: 'for the matrix' },
  updateStream: { title: 'another title' },
  updateLiveChannel: { latency_mode: 'NORMAL' },
  sendTimedMetadata: { metadata: 'for the matrix' },
  sendChatMessage: { client_id: 'matrix', text: 'for the matrix' },
  voteInChat: { poll_id: '01990000-0000-7000-8000-000000000000', choice: 0 },
  moderateChat: { action: 'clear' },
  clipStream: {},
  markStream: { title: 'for the matrix' },
  grantChatRole: { role: 'vip' },
  askToBeUnbanned: { text: 'for the matrix' },
  decideUnbanRequest: { decision: 'deny' },
  setChatShieldPreset: {
    slow_seconds: 0,
    members_only: false,
    followers_only_minutes: null,
    emote_only: false,
    moderator_delay_seconds: 0,
    auto_moderation: 0,
  },
  setChatAutoModeration: {
    harassment: 0,
    sexual: 0,
    hate: 0,
    violence: 0,
    profanity: 0,
    hold_links: false,
  },
  addChatTerm: { kind: 'blocked', term: 'matrix' },
  verifyChatBot: { messages_per_30_seconds: 100 },
  setChatProfile: { color: null },
  rejectEmote: { reason: 'for the matrix' },
  clearBirthDate: { reason: 'for the matrix' },
};

/**
 * Routes that answer for an id that names nothing as for one that does, because what they bring about is the case already.
 * Each is a decision.
 */
export const alreadySo: ReadonlySet<string> = new Set<string>([]);

/**
 * Routes where a token in the body, bound to the id of the path, decides: without it they answer 403 for any id, whether it
 * names something or not.
 */
export const byToken: ReadonlySet<string> = new Set(['sendHeartbeat']);

/** Routes that are WebSockets. */
export const sockets: ReadonlySet<string> = new Set(['connectChat', 'connectRealtime', 'watchViewCount']);

export const parametersOf = (path: string): string[] =>
  [...path.matchAll(/:(\w+)(?:\{[^}]*\})?/g)].map(([, name]) => name ?? '');

/** The path with its parameters filled in; `choose` gives the ids. */
export async function fillPath(path: string, choose: (maker: Maker, parameter: string) => Promise<string>) {
  let filled = path.replaceAll(/(:\w+)\{[^}]*\}/g, '$1');
  for (const parameter of parametersOf(path)) {
    const maker = makers[parameter];
    const value = maker === undefined ? words[parameter] : await choose(maker, parameter);
    if (value === undefined) throw new Error(adviceFor(parameter, path));
    filled = filled.replace(`:${parameter}`, value);
  }
  return filled;
}

/** What to do about a parameter nobody can make. */
export const adviceFor = (parameter: string, path: string): string =>
  `${path} has the parameter "${parameter}", which the matrix does not know: add it to \`makers\` in test/api/platform/matrix/things.ts with a maker that makes such a thing of a user's, or to \`words\` if it names nothing of anybody's`;
