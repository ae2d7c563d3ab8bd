import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import {
  abortMultipartUpload,
  deleteObjects,
  deletePrefix,
  listMultipartUploads,
} from '../../../integrations/aws/index.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { exportFolder, maxExportAttempts } from '../exports.policy.ts';
import {
  deleteExports,
  giveUpExport,
  listExpiredExports,
  listStalledExports,
} from '../exports.repository.ts';
import { deleteUserRows } from '../personal-data.repository.ts';

const batch = 100;
const silentMs = 120_000;
const dayMs = 86_400_000;

/**
 * Asks again for exports whose message was lost or whose run was cut off, gives up those that were tried often enough, and
 * removes those whose time is over, file first.
 */
export async function sweepExports(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const { aws, accounts } = ctx.config;
  const nowMs = ctx.clock.now();
  const now = isoOf(nowMs);
  const stalled = await listStalledExports(primary, { now, silentSince: isoOf(nowMs - silentMs) }, batch);
  const expiresAt = isoOf(nowMs + accounts.exportRetentionDays * dayMs);
  for (const { id, attempts } of stalled)
    if (attempts >= maxExportAttempts) await giveUpExport(primary, id, { now, expiresAt });
  const events = stalled
    .filter(({ attempts }) => attempts < maxExportAttempts)
    .map(({ id, userId }) => newEvent(ctx, 'account.export_requested', { export_id: id, user_id: userId }));
  if (events.length > 0) {
    await insertEvents(primary, events);
    await publishEvents(ctx, { ids: events.map(({ id }) => id), limit: events.length });
  }
  const expired = await listExpiredExports(primary, now, batch);
  if (expired.length === 0) return;
  await deleteObjects(
    aws,
    aws.uploadsBucket,
    expired.map(({ objectKey }) => objectKey),
  );
  await deleteExports(
    primary,
    expired.map(({ id }) => id),
    now,
  );
}

/** Removes every export of a user: what is being written, what was written, and that it was asked for. */
export async function eraseExports(ctx: RequestContext, userId: string): Promise<void> {
  const { aws } = ctx.config;
  const place = { bucket: aws.uploadsBucket, prefix: exportFolder(userId) };
  await deleteUserRows(ctx.databases.primary, { table: 'data_exports', column: 'user_id' }, userId, 10_000);
  for (const upload of await listMultipartUploads(aws, place)) await abortMultipartUpload(aws, upload);
  while (!(await deletePrefix(aws, place, 1_000)));
}

const isoOf = (unixMs: number): string => new Date(unixMs).toISOString();
