import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireSession } from '../../../http/viewer.ts';
import { presignObject } from '../../../integrations/aws/index.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { exportLimit, exportNotFound, exportRunning } from '../accounts.errors.ts';
import { exportKey } from '../exports.policy.ts';
import { type ExportRow, findExport, insertExport } from '../exports.repository.ts';

const dayMs = 86_400_000;

/**
 * Asks for an export of everything kept about the caller. One at a time, and `DATA_EXPORTS_PER_DAY` in 24 hours.
 * @throws accounts.export_running, accounts.export_limit.
 */
export async function requestMyExport(ctx: RequestContext): Promise<ExportRow> {
  const { userId } = requireSession(ctx);
  const id = ctx.ids.next();
  const nowMs = ctx.clock.now();
  const requested = newEvent(ctx, 'account.export_requested', { export_id: id, user_id: userId });
  const outcome = await insertExport(
    ctx,
    {
      id,
      userId,
      objectKey: exportKey(userId, id),
      now: new Date(nowMs).toISOString(),
      countedSince: new Date(nowMs - dayMs).toISOString(),
      limit: ctx.config.accounts.exportsPerDay,
    },
    requested,
  );
  if (outcome.kind === 'running') throw exportRunning();
  if (outcome.kind === 'limit') {
    const waitSeconds = Math.max(1, Math.ceil((outcome.oldestMs + dayMs - nowMs) / 1000));
    throw exportLimit({ headers: { 'retry-after': String(waitSeconds) } });
  }
  publishAfterResponse(ctx, [requested.id]);
  return outcome.row;
}

export interface Download {
  readonly url: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/**
 * How an export of the caller stands; a new link to it each time while it is there.
 * @throws accounts.export_not_found, also for exports of others.
 */
export async function getMyExport(
  ctx: RequestContext,
  id: string,
): Promise<{ readonly row: ExportRow; readonly download: Download | undefined }> {
  const { userId } = requireSession(ctx);
  const nowMs = ctx.clock.now();
  const row = await findExport(ctx.databases.primary, id, userId, new Date(nowMs).toISOString());
  if (row === undefined) throw exportNotFound();
  if (row.state !== 'ready' || row.expiresAt === null) return { row, download: undefined };
  const { aws, accounts } = ctx.config;
  const leftSeconds = Math.floor((Date.parse(row.expiresAt) - nowMs) / 1000);
  const ttlSeconds = Math.max(1, Math.min(accounts.exportLinkSeconds, leftSeconds));
  const place = { bucket: aws.uploadsBucket, key: row.objectKey };
  const url = await presignObject(aws, place, { ttlSeconds, nowMs });
  return { row, download: { url, expiresAt: new Date(nowMs + ttlSeconds * 1000).toISOString() } };
}
