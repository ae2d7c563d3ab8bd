import { type Bindings, servicesOf } from '../../src/context.ts';
import { applyTally } from '../../src/modules/stream-analytics/flushes.repository.ts';
import { flushAfterMs, type Tally } from './tally.ts';
import type { ApplyTally } from './tally-protocol.ts';

/** The real one. */
export const applyTallyOf =
  (bindings: Bindings): ApplyTally =>
  async (flush) => {
    const { databases, log } = servicesOf(bindings);
    try {
      return await applyTally(databases.primary, flush);
    } catch (error) {
      log.log('warn', 'chat.tally_not_flushed', {
        error_name: error instanceof Error ? error.name : 'unknown',
      });
      throw error;
    }
  };

/** Sends what was counted to the database when it is due. What does not arrive goes with the next, which holds it too. */
export async function flushIfDue(
  tally: Tally,
  streamId: string | undefined,
  apply: ApplyTally,
  now: () => number,
): Promise<void> {
  const dueAtMs = tally.flushDueAtMs();
  if (streamId === undefined || dueAtMs === undefined || dueAtMs > now()) return;
  const flush = tally.freeze(streamId, now());
  try {
    await apply(flush);
    tally.settle(flush);
  } catch {
    tally.setFlushDue(now() + flushAfterMs);
  }
}
