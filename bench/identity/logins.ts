import { cpuSecondsOf } from '../cpu.ts';
import type { BenchServer } from '../servers.ts';
import { password } from './workload.ts';

const clients = 8;

/** One thing a client does again and again; throws unless it worked. */
export type Act = (client: number) => Promise<void>;

export interface Pace {
  readonly perSecond: number;
  readonly cpuMs: number;
}

/** Eight clients, each doing the next when the last is done, for some seconds. */
export async function paceOf(server: BenchServer, act: Act, seconds: number): Promise<Pace> {
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const cpuBefore = cpuSecondsOf(server.pid);
  let done = 0;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < until) {
        await act(client);
        done += 1;
      }
    }),
  );
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  return {
    perSecond: done / elapsedSeconds,
    cpuMs: ((cpuSecondsOf(server.pid) - cpuBefore) * 1_000) / done,
  };
}

/** Servers close kept connections while others are measured, sometimes at the very moment one is used again. */
async function fetchAgainIfClosed(url: string, init?: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch {
    return fetch(url, init);
  }
}

async function post(server: BenchServer, path: string, body: unknown, status: number): Promise<void> {
  const response = await fetchAgainIfClosed(`http://127.0.0.1:${server.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== status)
    throw new Error(
      `${server.name} answered ${path} with ${response.status}: ${text}\n${server.complaints()}`,
    );
}

/** Registers an account for each client and returns the login of it. */
export async function ourLogins(server: BenchServer): Promise<Act> {
  for (let client = 0; client < clients; client += 1) {
    const username = `bench_${client}`;
    await post(server, '/v1/auth/register', { username, email: `${username}@bench.test`, password }, 201);
  }
  return (client) => post(server, '/v1/auth/login', { identifier: `bench_${client}`, password }, 200);
}

/** The same of better-auth. */
export async function betterAuthLogins(server: BenchServer): Promise<Act> {
  const email = (client: number): string => `bench_${client}@bench.test`;
  for (let client = 0; client < clients; client += 1)
    await post(
      server,
      '/api/auth/sign-up/email',
      { name: `bench_${client}`, email: email(client), password },
      200,
    );
  return (client) => post(server, '/api/auth/sign-in/email', { email: email(client), password }, 200);
}

/** A hash and nothing else. */
export const hashes =
  (server: BenchServer, path: string): Act =>
  async () => {
    const response = await fetchAgainIfClosed(`http://127.0.0.1:${server.port}${path}`);
    await response.text();
    if (response.status !== 200) throw new Error(`${server.name}: ${response.status} ${server.complaints()}`);
  };
