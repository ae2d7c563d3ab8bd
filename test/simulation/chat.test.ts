import fc from 'fast-check';
import { afterAll, it, vi } from 'vitest';
import { people, Simulation, type Step } from './chat.ts';
import { ClientSocket, type Fate, type Platform, ServerSocket } from './platform.ts';

vi.mock('cloudflare:workers', () => ({
  DurableObject: class {
    readonly ctx: unknown;
    readonly env: unknown;
    constructor(ctx: unknown, env: unknown) {
      this.ctx = ctx;
      this.env = env;
    }
  },
  WorkerEntrypoint: class {},
  env: {},
  exports: {},
}));

let platform: Platform | undefined;
vi.stubGlobal('setTimeout', (work: () => void, ms = 0) => platform?.setTimer(work, ms));
vi.stubGlobal('clearTimeout', (id: number) => platform?.dropTimer(id));
vi.stubGlobal('WebSocketRequestResponsePair', class {});
vi.stubGlobal(
  'WebSocketPair',
  class {
    readonly 0 = new ClientSocket();
    readonly 1 = new ServerSocket(this[0]);
  },
);
vi.stubGlobal(
  'Response',
  class {
    constructor(_: unknown, init: object) {
      Object.assign(this, init);
    }
  },
);
afterAll(() => {
  vi.unstubAllGlobals();
});

const who = fc.nat(people - 1);
const fate = fc.constantFrom<Fate>('arrives', 'gets lost', 'answer gets lost', 'comes twice', 'is late');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('join', 'come back', 'leave'), who }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('send'), who, again: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('ban', 'pardon'), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delay'), seconds: fc.constantFrom(0, 2, 6) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('evict room', 'evict relays', 'abort relays', 'deploy', 'delete last'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('wait'),
      ms: fc.constantFrom(5, 40, 70, 200, 1_200, 11_000, 40_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('database'),
      outcomes: fc.array(fc.constantFrom('works', 'fails', 'answer gets lost'), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('trouble'),
      fates: fc.array(fate, { minLength: 1, maxLength: 5 }),
    }),
  },
);

async function play(steps: readonly Step[]): Promise<void> {
  const simulation = new Simulation();
  platform = simulation.platform;
  try {
    for (const action of steps) await simulation.take(action);
    await simulation.check();
  } finally {
    platform.end();
  }
}

const runs = 2_000;

it(`keeps what a room guarantees in ${runs} random histories`, async () => {
  // Given, the same histories again.
  const given = (globalThis as unknown as { process: { env: Record<string, string | undefined> } }).process
    .env.CHAT_SEED;
  const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given);
  console.info(`chat simulation: ${runs} histories of seed ${seed} (CHAT_SEED=${seed} plays them again)`);
  const result = await fc.check(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), play), {
    numRuns: runs,
    seed,
  });
  if (result.failed) throw new Error(fc.defaultReportMessage(result), { cause: result.errorInstance });
}, 300_000);
