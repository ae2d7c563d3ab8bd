import type { RequestContext } from '../../../context.ts';
import { sendDirectly } from '../../../jobs/publish.ts';

/**
 * Asks for deliveries to endpoints, now or in a while. Never fails: what is due stands in the database, and the cron that hands
 * it out finds it within a minute.
 */
export async function wakeEndpoints(
  ctx: RequestContext,
  endpointIds: readonly string[],
  delayMs = 0,
): Promise<void> {
  if (endpointIds.length === 0) return;
  try {
    const messages = endpointIds.map((endpointId) => ({ endpoint_id: endpointId }));
    await sendDirectly(ctx, 'webhooks.due', messages, { delaySeconds: Math.ceil(delayMs / 1_000) });
  } catch (error) {
    ctx.log.log('warn', 'webhooks.wake_failed', {
      count: endpointIds.length,
      error_name: error instanceof Error ? error.name : 'unknown',
    });
  }
}
