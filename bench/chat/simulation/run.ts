import { parseArgs } from 'node:util';
import { markdown } from '../../report.ts';
import { type Costs, costsOf } from './costs.ts';
import { type Outcome, type Plan, simulate } from './model.ts';

const usage =
  'npm run bench -- chat-simulation [--viewers 100000] [--per-relay 2000] [--rate 200] [--seconds 60] [--churn 0.1] [--seed 1] [--costs roomMessage=800,relayFrame=27]';

/** Beyond this a room is broken: what is said comes too late to answer. */
const bearableMs = 2_000;
const greatestFactor = 512;

/**
 * Simulates a room with a crowd that no machine at hand could play, from what each thing costs, and looks for what breaks first.
 * @throws Error with the usage for arguments it does not know.
 */
export function simulateChat(argv: readonly string[]): void {
  const plan = planOf(argv);
  console.log(`Costs in us: ${JSON.stringify(plan.costs)}; seed ${plan.seed}; ${plan.seconds} s each\n`);
  const shares = [0.25, 1, 2, 4, 8];
  const crowds = shares.map((share) => ({ ...plan, viewers: Math.round(plan.viewers * share) }));
  console.log(table(crowds.map((each) => [each, simulate(each)])));
  console.log(`\n${limits(plan).join('\n')}`);
}

function table(rows: readonly (readonly [Plan, Outcome])[]): string {
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  return markdown(
    [
      'viewers',
      'messages/s',
      'relays',
      'room busy',
      'relays busy (busiest)',
      'lag ms: median / 95th / 99th / greatest',
      'frames/s',
      'MB/s',
      'calls/s',
    ],
    rows.map(([plan, outcome]) => [
      String(plan.viewers),
      (outcome.messages / plan.seconds).toFixed(0),
      String(outcome.relays),
      percent(outcome.roomLoad),
      `${percent(outcome.relayLoad)} (${percent(outcome.busiestRelay)})`,
      outcome.lagMs.map((ms) => ms.toFixed(0)).join(' / '),
      outcome.framesPerSecond.toFixed(0),
      (outcome.bytesPerSecond / 1e6).toFixed(0),
      outcome.callsPerSecond.toFixed(0),
    ]),
  );
}

/** Turns one thing up at a time until it breaks. */
function limits(plan: Plan): string[] {
  const turned: readonly (readonly [string, (factor: number) => Plan])[] = [
    ['viewers, with more relays', (factor) => ({ ...plan, viewers: plan.viewers * factor })],
    ['messages', (factor) => ({ ...plan, messagesPerSecond: plan.messagesPerSecond * factor })],
    [
      'sockets of each relay',
      (factor) => ({ ...plan, socketsPerRelay: Math.round(plan.socketsPerRelay * factor) }),
    ],
  ];
  return turned.map(([what, planFor]) => {
    for (let factor = 1; factor <= greatestFactor; factor *= Math.SQRT2) {
      const outcome = simulate({ ...planFor(factor), seconds: Math.min(plan.seconds, 20) });
      const broken = whatBreaks(outcome);
      if (broken !== undefined) return `- ${what}: at ${factor.toFixed(1)} times this plan ${broken}.`;
    }
    return `- ${what}: nothing breaks up to ${greatestFactor} times this plan.`;
  });
}

// A relay that is always busy is not broken: it is handed more at a time, and its viewers hear later.
function whatBreaks({ roomLoad, busiestRelay, lagMs }: Outcome): string | undefined {
  const busy = `the room is busy ${(100 * roomLoad).toFixed(0)} %, the busiest relay ${(100 * busiestRelay).toFixed(0)} %`;
  if (roomLoad >= 1) return `the room has more to do than time: ${busy}`;
  return lagMs[2] > bearableMs
    ? `one in a hundred comes after ${lagMs[2].toFixed(0)} ms: ${busy}`
    : undefined;
}

function planOf(argv: readonly string[]): Plan & { readonly costs: Costs } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        viewers: { type: 'string', default: '100000' },
        'per-relay': { type: 'string', default: '2000' },
        rate: { type: 'string', default: '200' },
        seconds: { type: 'string', default: '60' },
        churn: { type: 'string', default: '0.1' },
        seed: { type: 'string', default: '1' },
        costs: { type: 'string' },
      },
    });
    const number = (text: string, least: number): number => {
      const value = Number(text);
      if (!Number.isFinite(value) || value < least)
        throw new Error(`${text} is no number of at least ${least}`);
      return value;
    };
    return {
      viewers: number(values.viewers, 1),
      socketsPerRelay: number(values['per-relay'], 1),
      messagesPerSecond: number(values.rate, 1),
      seconds: number(values.seconds, 1),
      churn: number(values.churn, 0),
      seed: number(values.seed, 0),
      costs: costsOf(values.costs),
    };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
  }
}
