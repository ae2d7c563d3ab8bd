import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { isEnabled, loadFlags } from '../../../shared/flags/index.ts';
import { type Quota, type QuotaUsage, readUsage } from '../upload-reservations.repository.ts';

export interface UploadLimits {
  readonly usage: QuotaUsage;
  readonly reason: Quota | 'uploads_paused' | undefined;
}

/** What the caller may still upload, and why nothing if so. */
export async function uploadLimits(ctx: RequestContext): Promise<UploadLimits> {
  const ownerId = requireViewerId(ctx);
  const usage = await readUsage(ctx.databases.primary, ownerId);
  const open = isEnabled(await loadFlags(ctx), 'videoUploads', ownerId);
  return { usage, reason: open ? exhausted(usage, ctx.config.videos) : 'uploads_paused' };
}

function exhausted(usage: QuotaUsage, limits: RequestContext['config']['videos']): Quota | undefined {
  if (usage.openUploads >= limits.maxOpenUploads) return 'open_uploads';
  if (usage.dailyUploads >= limits.dailyUploads) return 'daily_uploads';
  if (usage.dailyBytes >= limits.dailyBytes) return 'daily_bytes';
  if (usage.storedBytes >= limits.maxStoredBytes) return 'stored_bytes';
  return undefined;
}
