import { env } from 'cloudflare:workers';
import { testEnv } from './env.ts';

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
