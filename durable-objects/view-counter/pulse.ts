import { watchingMs } from './ledger.ts';
import { beatsPerShard, heartbeatSeconds, maxHeartbeatSeconds, maxShards } from './protocol.ts';

/** Who watches just now, and how many heartbeats come. On the heap: after a sleep it is read from the sessions again. */
export interface Pulse {
  note(sessionId: string, atMs: number): void;
  watching(nowMs: number): number;
  beatsPerSecond(nowMs: number): number;
}

const windowMs = 10_000;

export function createPulse(recent: readonly { readonly id: string; readonly lastAtMs: number }[]): Pulse {
  // The oldest first, since a session moves to the end with each heartbeat.
  const sessions = new Map<string, number>(
    [...recent].sort((a, b) => a.lastAtMs - b.lastAtMs).map(({ id, lastAtMs }) => [id, lastAtMs]),
  );
  let windowStart = 0;
  let beats = 0;
  let lastRate = 0;
  const turn = (nowMs: number): void => {
    if (nowMs - windowStart < windowMs && nowMs >= windowStart) return;
    lastRate = nowMs - windowStart < 2 * windowMs ? beats / (windowMs / 1_000) : 0;
    windowStart = nowMs;
    beats = 0;
  };
  return {
    note(sessionId, atMs) {
      turn(atMs);
      beats += 1;
      sessions.delete(sessionId);
      sessions.set(sessionId, atMs);
    },
    watching(nowMs) {
      for (const [id, atMs] of sessions) {
        if (atMs > nowMs - watchingMs) break;
        sessions.delete(id);
      }
      return sessions.size;
    },
    beatsPerSecond(nowMs) {
      turn(nowMs);
      return Math.max(lastRate, beats / (windowMs / 1_000));
    },
  };
}

/** Over how many objects new sessions go at this rate of all heartbeats: a power of two, halved at most once at a time. */
export function shardsFor(beatsPerSecond: number, current: number): number {
  let wanted = 1;
  while (wanted < maxShards && beatsPerSecond > wanted * beatsPerShard) wanted *= 2;
  return Math.max(wanted, current / 2, 1);
}

/** How long players should wait for their next heartbeat: longer where one object gets far more than its share. */
export const nextBeatSeconds = (beatsPerSecond: number): number =>
  Math.min(
    maxHeartbeatSeconds,
    heartbeatSeconds * Math.max(1, Math.ceil(beatsPerSecond / (2 * beatsPerShard))),
  );
