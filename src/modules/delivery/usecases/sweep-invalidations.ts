import type { RequestContext } from '../../../context.ts';
import {
  createInvalidation,
  type Distribution,
  isAwsError,
  isInvalidationDone,
} from '../../../integrations/aws/index.ts';
import {
  acceptBatch,
  claimBatch,
  dropWaiting,
  finishBatch,
  type InvalidationBatch,
  listBatches,
  releaseBatch,
} from '../invalidations.repository.ts';

// What may be in progress at once
// (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations).
const limits = { wildcards: 15, paths: 3_000 } as const;

/**
 * Follows the invalidations under way, and sends what waits as far as the CDN's limits go. A batch is written before it is
 * sent, under the reference that makes sending it twice the same as once: wherever a run is cut off, the next goes on.
 */
export async function sweepInvalidations(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const { distributionId: id, cloudFrontEndpoint: endpoint } = ctx.config.delivery;
  if (id === '') return dropWaiting(primary);
  const distribution = { id, endpoint };
  for (const batch of await listBatches(primary)) {
    if (batch.invalidationId === null) await send(ctx, distribution, batch);
    else if (await isInvalidationDone(ctx.config.aws, distribution, batch.invalidationId))
      await finishBatch(primary, batch.id);
  }
  const batch = await claimBatch(primary, ctx.ids.next(), limits);
  if (batch !== undefined) await send(ctx, distribution, batch);
}

async function send(
  ctx: RequestContext,
  distribution: Distribution,
  batch: InvalidationBatch,
): Promise<void> {
  const { primary } = ctx.databases;
  const { id, paths } = batch;
  try {
    const invalidationId = await createInvalidation(ctx.config.aws, distribution, {
      callerReference: id,
      paths,
    });
    await acceptBatch(primary, id, invalidationId);
  } catch (error) {
    // Somebody else uses the distribution, too: its limits are shared.
    if (!isAwsError(error, 'TooManyInvalidationsInProgress')) throw error;
    await releaseBatch(primary, batch);
    ctx.log.log('warn', 'cdn.invalidations_full', { count: paths.length });
  }
}
