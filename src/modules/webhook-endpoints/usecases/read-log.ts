import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import {
  deleteOldDeliveries,
  findDelivery,
  listDeliveries,
  replayDelivery,
  replayFailed,
} from '../deliveries.repository.ts';
import { forgetOldSecrets } from '../endpoints.repository.ts';
import { testEventType } from '../policy/event-types.ts';
import { deliveryNotFound, endpointDisabled, endpointNotFound } from '../webhook-endpoints.errors.ts';
import type { DeliveryDetailRow, DeliveryRow } from '../webhook-endpoints.views.ts';
import { wakeEndpoints } from './wake-endpoints.ts';

const replayLimit = 1_000;
const deleteLimit = 1_000;
const maxDeleteRounds = 100;
const dayMs = 86_400_000;

/** @throws webhooks.endpoint_not_found. */
export async function listMyDeliveries(
  ctx: RequestContext,
  endpointId: string,
  query: {
    readonly state: string | undefined;
    readonly type: string | undefined;
    readonly beforeId: string | undefined;
    readonly limit: number;
  },
): Promise<DeliveryRow[]> {
  const rows = await listDeliveries(ctx.readDb, { ...query, endpointId, userId: requireViewerId(ctx) });
  if (rows === undefined) throw endpointNotFound();
  return rows;
}

interface DeliveryKey {
  readonly endpointId: string;
  readonly id: string;
}

/** @throws webhooks.delivery_not_found. */
export async function getMyDelivery(ctx: RequestContext, key: DeliveryKey): Promise<DeliveryDetailRow> {
  const row = await findDelivery(ctx.readDb, { ...key, userId: requireViewerId(ctx) });
  if (row === undefined) throw deliveryNotFound();
  return row;
}

/**
 * Sends an event again under its id, whatever became of it, with all attempts before it again.
 * @throws webhooks.delivery_not_found, webhooks.endpoint_disabled.
 */
export async function replayMyDelivery(ctx: RequestContext, key: DeliveryKey): Promise<DeliveryRow> {
  const userId = requireViewerId(ctx);
  const row = await replayDelivery(ctx.databases.primary, { ...key, userId }, nowOf(ctx));
  if (row === undefined) throw deliveryNotFound();
  if (row === 'disabled') throw endpointDisabled();
  ctx.background(() => wakeEndpoints(ctx, [key.endpointId]));
  return row;
}

/**
 * Sends what failed since a moment again, a thousand events at a time, the oldest first.
 * @throws webhooks.endpoint_not_found, webhooks.endpoint_disabled.
 */
export async function replayMyFailed(
  ctx: RequestContext,
  endpointId: string,
  since: string,
): Promise<{ readonly replayed: number; readonly more: boolean }> {
  const result = await replayFailed(ctx.databases.primary, {
    endpointId,
    userId: requireViewerId(ctx),
    since,
    exceptType: testEventType,
    now: nowOf(ctx),
    limit: replayLimit,
  });
  if (result === undefined) throw endpointNotFound();
  if (result === 'disabled') throw endpointDisabled();
  if (result.replayed > 0) ctx.background(() => wakeEndpoints(ctx, [endpointId]));
  return result;
}

/** Deletes old deliveries, and old secrets that sign no more. What one run leaves, the next takes. */
export async function expireWebhookLog(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  await forgetOldSecrets(primary, nowOf(ctx));
  const cutoff = new Date(ctx.clock.now() - ctx.config.webhooks.logRetentionDays * dayMs).toISOString();
  let deleted = 0;
  for (let round = 0; round < maxDeleteRounds; round += 1) {
    const count = await deleteOldDeliveries(primary, cutoff, deleteLimit);
    deleted += count;
    if (count < deleteLimit) break;
  }
  ctx.log.log('info', 'webhooks.log_expired', { count: deleted });
}

const nowOf = (ctx: RequestContext): string => new Date(ctx.clock.now()).toISOString();
