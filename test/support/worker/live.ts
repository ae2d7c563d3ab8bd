import { env } from 'cloudflare:workers';
import { getStream } from '../../../src/integrations/aws/index.ts';
import { until } from './chat.ts';
import { callJson, seedUser, sqlRows, type TestUser } from './client.ts';
import { testEnv } from './env.ts';
import { contextOf } from './films.ts';

const address = (path: string): string => `${String(testEnv(env).IVS_ENDPOINT)}/test/live/${path}`;

/** An event of IVS, as EventBridge would send it. */
export interface LiveEvent {
  readonly id: string;
  readonly time: string;
  readonly 'detail-type': string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

/** What IVS has told of a channel so far, in order. */
export async function liveEvents(channelArn: string): Promise<LiveEvent[]> {
  const events = (await (await fetch(address('events'))).json()) as LiveEvent[];
  return events.filter(({ resources }) => resources[0] === channelArn);
}

/** An encoder begins to send a test picture under a stream key. */
export async function startBroadcast(key: string): Promise<void> {
  await (await fetch(address(`broadcasts?key=${key}`), { method: 'POST' })).text();
}

export async function stopBroadcast(key: string): Promise<void> {
  await (await fetch(address(`broadcasts?key=${key}`), { method: 'DELETE' })).text();
}

/** Whether the encoder is still connected. */
export async function isBroadcasting(key: string): Promise<boolean> {
  const response = await fetch(address(`broadcasts?key=${key}`));
  return ((await response.json()) as { connected: boolean }).connected;
}

export interface ChannelJson {
  readonly ingest: {
    readonly rtmps_url: string;
    readonly rtmp_url: string | null;
    readonly srt_url: string | null;
  };
  readonly playback_url: string;
  readonly latency_mode: string;
  readonly type: string;
  readonly insecure_ingest: boolean;
  readonly recorded: boolean;
  readonly stream_key: { readonly fingerprint: string; readonly made_at: string } | null;
}

export interface StreamKeyJson {
  readonly stream_key: string;
  readonly fingerprint: string;
  readonly srt: unknown;
}

/** Somebody with a verified e-mail address, who may stream. */
export async function seedStreamer(): Promise<TestUser> {
  const user = await seedUser();
  await sqlRows('UPDATE users SET email_verified_at = now() WHERE id = $1', [user.uuid]);
  return user;
}

/** Somebody with a channel, and its ARN. */
export async function seedChannel(): Promise<{ readonly owner: TestUser; readonly arn: string }> {
  const owner = await seedStreamer();
  await callJson(201, 'POST', '/v1/me/live/channel', { token: owner.token });
  return { owner, arn: await channelArnOf(owner) };
}

export async function channelArnOf(owner: TestUser): Promise<string> {
  const [row] = await sqlRows<{ arn: string }>('SELECT arn FROM live_channels WHERE owner_id = $1', [
    owner.uuid,
  ]);
  if (row === undefined) throw new Error('they have no channel');
  return row.arn;
}

export const makeStreamKey = ({ token }: TestUser): Promise<StreamKeyJson> =>
  callJson<StreamKeyJson>(201, 'POST', '/v1/me/live/channel/stream-key', { token });

/** Begins to broadcast with a new key, and waits until viewers could see it. @returns the key. */
export async function goOnAir(owner: TestUser, arn: string): Promise<string> {
  const { stream_key: key } = await makeStreamKey(owner);
  await startBroadcast(key);
  await until(async () => (await getStream(contextOf().config.aws, arn)) !== undefined, 'it is on air');
  return key;
}

export const isOnAir = async (arn: string): Promise<boolean> =>
  (await getStream(contextOf().config.aws, arn)) !== undefined;

export interface LivePlaybackJson {
  readonly hls_url: string;
  readonly expires_at: string;
  readonly latency_mode: string;
}

/** A player: the first media playlist of a stream, and what it answers with. */
export interface Player {
  readonly playlistUrl: string;
  /** Status of the playlist now. */
  poll(): Promise<number>;
  /** Text that came with the newest segments. */
  read(): Promise<string>;
}

// Playlists and media are not text to workerd, which warns of `text()`.
const textOf = async (response: Response): Promise<string> =>
  new TextDecoder().decode(await response.arrayBuffer());

/** Begins to play. @throws with the status when the stream is refused. */
export async function openPlayer(hlsUrl: string): Promise<Player> {
  const response = await fetch(hlsUrl);
  const master = await textOf(response);
  if (!response.ok) throw new Error(`${response.status}`);
  const line = master.split('\n').find((candidate) => candidate !== '' && !candidate.startsWith('#'));
  const playlistUrl = new URL(line ?? '', hlsUrl).href;
  return {
    playlistUrl,
    async poll() {
      const answer = await fetch(playlistUrl);
      await answer.arrayBuffer();
      return answer.status;
    },
    async read() {
      const playlist = await textOf(await fetch(playlistUrl));
      const names = playlist.split('\n').filter((name) => /^\d+\.mp4$/.test(name));
      const parts = await Promise.all(
        names.slice(-3).map(async (name) => textOf(await fetch(new URL(name, playlistUrl)))),
      );
      return parts.join('');
    },
  };
}
