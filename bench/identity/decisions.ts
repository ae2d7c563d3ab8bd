import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono';
import { rateLimiter } from 'hono-rate-limiter';
import { Redis } from 'ioredis';
import type { Cleanup } from '../cleanup.ts';
import { programPath } from '../machine.ts';
import { startProcess } from '../processes.ts';
import type { BenchServer } from '../servers.ts';
import { decisionKeys, decisionWindow } from './workload.ts';

const inFlight = 64;

/** A limiter that answers a sequence of keys with 1 (allowed) or 0, 64 in flight. */
export interface Decider {
  readonly name: string;
  decide(sequence: readonly number[]): Promise<Uint8Array>;
}

/** Keys in random order, about as many of each. */
export const randomSequence = (length: number): number[] =>
  Array.from({ length }, () => Math.floor(Math.random() * decisionKeys));

/** Decisions that differ from the right ones: the first `limit` of each key are allowed and no other. */
export function wrongDecisions(sequence: readonly number[], answers: Uint8Array): number {
  const asked = new Map<number, number>();
  const allowed = new Map<number, number>();
  for (const [at, key] of sequence.entries()) {
    asked.set(key, (asked.get(key) ?? 0) + 1);
    if (answers[at] === 1) allowed.set(key, (allowed.get(key) ?? 0) + 1);
  }
  // Which of a key's requests come first is not settled while 64 are in flight; how many pass is.
  let wrong = 0;
  for (const [key, count] of asked)
    wrong += Math.abs(Math.min(count, decisionWindow.limit) - (allowed.get(key) ?? 0));
  return wrong;
}

let runs = 0;

/** Our limiter: one call to a Durable Object for each decision, or the algorithm alone. */
export function oursDecider(
  server: BenchServer,
  path: '/decisions' | '/decisions/memory',
  name: string,
): Decider {
  return {
    name,
    async decide(sequence) {
      runs += 1;
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, {
        method: 'POST',
        body: JSON.stringify({ run: String(runs), sequence }),
      });
      if (response.status !== 200) throw new Error(`${name}: ${response.status} ${server.complaints()}`);
      return new Uint8Array(await response.arrayBuffer());
    },
  };
}

/** hono-rate-limiter with its own store in memory, in this process. */
export function honoDecider(): Decider {
  return {
    name: 'hono-rate-limiter, memory',
    decide(sequence) {
      const app = new Hono();
      app.use(
        rateLimiter({
          windowMs: decisionWindow.periodSeconds * 1_000,
          limit: decisionWindow.limit,
          keyGenerator: (c) => c.req.header('x-key') ?? '',
        }),
      );
      app.get('/', (c) => c.body(null, 204));
      return allInFlight(sequence, async (key) => {
        const { status } = await app.request('/', { headers: { 'x-key': String(key) } });
        return status === 204;
      });
    },
  };
}

// GCRA with Redis' clock: one script for each decision, as the published Redis limiters do it.
const gcraScript = `
local now = redis.call('TIME'); now = now[1] * 1000 + math.floor(now[2] / 1000)
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
if tat + interval - now > burst * interval then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', tat + interval), 'PX', string.format('%.0f', tat + interval - now))
return 1`;
const windowScript = `
local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
if hits > tonumber(ARGV[2]) then return 0 end
return 1`;

/** Redis on its own core, by GCRA and by fixed windows; none when it is not installed. */
export async function redisDeciders(directory: string, cleanup: Cleanup): Promise<Decider[]> {
  if (programPath('redis-server') === undefined) return [];
  const home = join(directory, 'redis');
  mkdirSync(home);
  const socket = join(home, 'redis.sock');
  const started = startProcess({
    role: 'server',
    command: 'redis-server',
    args: ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'yes', '--dir', home],
    stdout: 'ignore',
  });
  cleanup.add(started.stop);
  const redis = new Redis({ path: socket, retryStrategy: () => 100 });
  redis.on('error', () => undefined);
  cleanup.add(() => redis.disconnect());
  await redis.ping();
  const [interval, burst] = [
    (decisionWindow.periodSeconds * 1_000) / decisionWindow.limit,
    decisionWindow.limit,
  ];
  const decider = (name: string, script: string, args: readonly number[]): Decider => ({
    name,
    async decide(sequence) {
      await redis.flushall();
      const sha = String(await redis.script('LOAD', script));
      return allInFlight(sequence, async (key) => (await redis.evalsha(sha, 1, `k${key}`, ...args)) === 1);
    },
  });
  return [
    decider('redis, GCRA in Lua', gcraScript, [interval, burst]),
    decider('redis, INCR in Lua', windowScript, [decisionWindow.periodSeconds, decisionWindow.limit]),
  ];
}

async function allInFlight(
  sequence: readonly number[],
  decide: (key: number) => Promise<boolean>,
): Promise<Uint8Array> {
  const answers = new Uint8Array(sequence.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < sequence.length; at = next++)
      answers[at] = (await decide(sequence[at] ?? 0)) ? 1 : 0;
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return answers;
}
