import type { Logger } from '../../observability/logger.ts';
import { createMemoryCache } from '../cache/memory.ts';
import { type FlagName, flagDefinitions } from './definitions.ts';
import { type FlagDocument, flagDocument } from './document.ts';
import { rolloutPosition } from './rollout.ts';

export { type FlagName, flagDefinitions } from './definitions.ts';

/** The state of all flags, as one isolate knew it at most half a minute ago. */
export type Flags = FlagDocument;

interface FlagScope {
  readonly bindings: { readonly FLAGS: Pick<KVNamespace, 'get'> };
  readonly clock: { now(): number };
  readonly log: Logger;
}

export const flagsKey = 'flags';
const ttlMs = 30_000;
// One document for each namespace; tests and environments of one isolate must not see each other's.
const cached = new WeakMap<object, ReturnType<typeof createMemoryCache<Flags>>>();

/**
 * Reads the flag document. A missing, unreachable or malformed document means that every flag has its default; the last
 * two leave a log line, and are not asked about again for half a minute.
 */
export async function loadFlags(scope: FlagScope): Promise<Flags> {
  const { FLAGS } = scope.bindings;
  const memory = cached.get(FLAGS) ?? createMemoryCache<Flags>(1);
  cached.set(FLAGS, memory);
  const known = memory.get(flagsKey, scope.clock.now());
  if (known !== undefined) return known;
  const flags = await readFlags(scope);
  memory.set(flagsKey, flags, scope.clock.now() + ttlMs);
  return flags;
}

/**
 * Whether a flag is on for a user: their override, else their place in the rollout, else the default. Without a user only
 * a full rollout counts as on.
 */
export function isEnabled(flags: Flags, name: FlagName, userId: string | undefined): boolean {
  const rule = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (rule === undefined) return flagDefinitions[name].default;
  const override = userId !== undefined && Object.hasOwn(rule.users, userId) ? rule.users[userId] : undefined;
  if (override !== undefined) return override;
  if (!rule.enabled) return false;
  if (userId === undefined) return rule.percent >= 100;
  return rolloutPosition(name, userId) < rule.percent * 100;
}

async function readFlags(scope: FlagScope): Promise<Flags> {
  try {
    const text = await scope.bindings.FLAGS.get(flagsKey, 'text');
    return text === null ? {} : flagDocument.parse(JSON.parse(text));
  } catch (error) {
    scope.log.log('warn', 'flags.unreadable', {
      error_name: error instanceof Error ? error.name : 'unknown',
      reason: error instanceof Error ? error.message : undefined,
    });
    return {};
  }
}
