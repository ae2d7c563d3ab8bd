import type { RequestContext } from '../../../context.ts';
import { isAwsError } from '../../../integrations/aws/index.ts';
import { withLock } from '../../../jobs/with-lock.ts';
import { channelIsBusy, liveUnavailable } from '../live.errors.ts';

/**
 * What IVS answers.
 * @throws live.unavailable when it does not, or refuses for a reason the caller did not expect.
 */
export async function reachIvs<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAwsError(error)) throw error;
    throw liveUnavailable({ cause: error, headers: { 'retry-after': '5' } });
  }
}

/**
 * Runs what changes the key or the settings of a channel alone: its steps at IVS and in the database belong together.
 * @throws live.channel_is_busy when others take too long.
 */
export async function alone<T>(ctx: RequestContext, arn: string, work: () => Promise<T>): Promise<T> {
  const outcome = await withLock(ctx.bindings.LOCK, `live:${arn}`, { ttlMs: 30_000, waitMs: 8_000 }, () =>
    work(),
  );
  if (!outcome.acquired) throw channelIsBusy({ headers: { 'retry-after': '5' } });
  return outcome.value;
}
