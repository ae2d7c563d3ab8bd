import { scrypt } from 'node:crypto';
import type { CountStore } from '../../../durable-objects/rate-limiter/store.ts';
import { take } from '../../../durable-objects/rate-limiter/take.ts';
import { type Bindings, type RequestContext, servicesOf } from '../../../src/context.ts';
import { authenticate } from '../../../src/http/authenticate.ts';
import { type Charge, charge } from '../../../src/http/rate-limit/charge.ts';
import { fareOf } from '../../../src/http/rate-limit.ts';
import { assertSessionLive } from '../../../src/http/session-guard.ts';
import { decisionKeys, decisionWindow, kdf } from '../workload.ts';

export {
  ChatRelay,
  ChatRoom,
  Idempotency,
  Lock,
  RateLimiter,
  SessionGuard,
  UserHub,
  ViewCounter,
} from '../../../src/index.ts';

// Single steps of a request, in the runtime that does them, with nothing around them.

const inFlight = 64;
const shards = 64;

const leased = fareOf({ limit: 'webhook' });
const counted = fareOf({ limit: 'write' });

async function checkToken(request: Request, env: Bindings): Promise<Response> {
  const ctx = servicesOf(env) as RequestContext;
  const holder = await authenticate(ctx, request.headers.get('authorization') ?? undefined, { fresh: false });
  if (holder?.kind !== 'user') return new Response(null, { status: 401 });
  await assertSessionLive(ctx, holder, { sensitive: false });
  return new Response('ok');
}

async function checkLimit(request: Request, env: Bindings, fare: typeof leased): Promise<Response> {
  if (fare === undefined) return new Response(null, { status: 500 });
  const ip = request.headers.get('cf-connecting-ip') ?? undefined;
  const charged: Charge = await charge({ ...servicesOf(env), actor: { kind: 'anonymous' }, ip }, fare);
  // A caller too fast for the policy is decided in memory just the same.
  return new Response(charged.allowed ? 'ok' : 'no');
}

/** Takes one unit of each key in the body, 64 in flight, and answers what each was told. */
async function decide(request: Request, env: Bindings): Promise<Response> {
  const { run, sequence } = (await request.json()) as { run: string; sequence: readonly number[] };
  const answers = new Uint8Array(sequence.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < sequence.length; at = next++) {
      const key = sequence[at] ?? 0;
      const limiter = env.RATE_LIMITER.getByName(`bench:${run}:${key % shards}`);
      const { allowed } = await limiter.take({ key: String(key), windows: [decisionWindow], cost: 1 });
      answers[at] = allowed ? 1 : 0;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return new Response(answers);
}

/** The same by the algorithm alone, on numbers in memory. */
async function decideInMemory(request: Request): Promise<Response> {
  const { sequence } = (await request.json()) as { sequence: readonly number[] };
  const arrivals = new Map<string, number>();
  const store: CountStore = {
    arrivals: { read: (key) => arrivals.get(key), write: (key, _, tat) => void arrivals.set(key, tat) },
    // No window here is strict.
    log: { since: () => [], add: () => undefined, remove: () => undefined },
  };
  const nowMs = Date.now();
  const answers = sequence.map((key) =>
    take(store, { key: String(key % decisionKeys), windows: [decisionWindow], cost: 1 }, nowMs).allowed
      ? 1
      : 0,
  );
  return new Response(new Uint8Array(answers));
}

const hashOnce = (): Promise<Response> =>
  new Promise((resolve, reject) => {
    scrypt(new Uint8Array(32), new Uint8Array(16), 32, kdf, (error) =>
      error === null ? resolve(new Response('ok')) : reject(error),
    );
  });

export default {
  fetch(request, env) {
    switch (new URL(request.url).pathname) {
      case '/token':
        return checkToken(request, env);
      case '/limit/leased':
        return checkLimit(request, env, leased);
      case '/limit/counted':
        return checkLimit(request, env, counted);
      case '/decisions':
        return decide(request, env);
      case '/decisions/memory':
        return decideInMemory(request);
      case '/kdf':
        return hashOnce();
      default:
        return new Response('ok');
    }
  },
} satisfies ExportedHandler<Bindings>;
