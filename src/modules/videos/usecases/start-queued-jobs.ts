import type { RequestContext } from '../../../context.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { traceparentOf } from '../../../observability/trace.ts';
import { takeQueuedJobs } from '../encode-queue.repository.ts';

const jobsPerRound = 20;
const maxRounds = 20;

/**
 * Starts what waits in our queue as far as there is room: called when a job was queued, when one has ended, and by cron, so
 * that nothing waits for a message that was lost.
 */
export async function startQueuedJobs(ctx: RequestContext): Promise<void> {
  for (let round = 0; round < maxRounds; round += 1) {
    const ids = Array.from({ length: jobsPerRound }, () => ctx.ids.next());
    const taken = await takeQueuedJobs(ctx.databases.primary, ctx.config.encoding, {
      ids,
      traceparent: traceparentOf(ctx.trace),
    });
    if (taken.length > 0) await publishEvents(ctx, { ids: taken, limit: taken.length });
    if (taken.length < jobsPerRound) return;
  }
}
