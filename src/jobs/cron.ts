import type { RequestContext, Services } from '../context.ts';
import { sealAuditLog } from '../db/audit.ts';
import { maintainDatabase } from '../db/maintenance.ts';
import { reconcileCounters } from '../db/reconciliation.ts';
import { withDatabaseScope } from '../db/scope.ts';
import { databaseScope } from '../http/request-context.ts';
import { eraseDueAccounts, remindOfDeletions, sweepExports } from '../modules/accounts/index.ts';
import { liftEndedSuspensions } from '../modules/admin/index.ts';
import { refreshChannels } from '../modules/analytics/index.ts';
import { cutClips, reconcileBroadcasts, reconcileRecordings } from '../modules/broadcasts/index.ts';
import { settleWaitingStills, sweepInvalidations } from '../modules/delivery/index.ts';
import { trimTimelines } from '../modules/feeds/index.ts';
import { trimHistories } from '../modules/history/index.ts';
import { cleanUpChannels, endPlaybackOfLost, fillPool, sweepViewers } from '../modules/live/index.ts';
import {
  announceDueVideos,
  dropFailedOriginals,
  dropSuperseded,
  expireUploads,
  reconcileEncodeJobs,
  reconcileScans,
  resumeImports,
  sweepBuckets,
} from '../modules/videos/index.ts';
import { rotateViewSalts } from '../modules/views/index.ts';
import { expireWebhookLog, handOutDeliveries } from '../modules/webhook-endpoints/index.ts';
import { sweepOutbox } from './publish.ts';
import { type CronSchedule, cronSchedules } from './schedules.ts';
import { systemContext } from './system-context.ts';
import { withLock } from './with-lock.ts';

interface Job {
  readonly name: string;
  readonly run: (ctx: RequestContext) => Promise<unknown>;
}

/** Which jobs run when. Every job may run twice or be skipped: each works from the state it finds. */
export const cronTable: Readonly<Record<CronSchedule, readonly Job[]>> = {
  '* * * * *': [
    { name: 'outbox.sweep', run: sweepOutbox },
    { name: 'audit.seal', run: sealAuditLog },
    { name: 'videos.reconcile', run: reconcileEncodeJobs },
    { name: 'broadcasts.reconcile', run: reconcileBroadcasts },
    { name: 'recordings.reconcile', run: reconcileRecordings },
    { name: 'clips.cut', run: cutClips },
    { name: 'stills.settle', run: settleWaitingStills },
    { name: 'cdn.invalidate', run: sweepInvalidations },
    { name: 'uploads.expire', run: expireUploads },
    { name: 'imports.resume', run: resumeImports },
    { name: 'videos.announce', run: announceDueVideos },
    { name: 'uploads.scan', run: reconcileScans },
    { name: 'exports.sweep', run: sweepExports },
    { name: 'accounts.erase', run: eraseDueAccounts },
    { name: 'suspensions.lift', run: liftEndedSuspensions },
    { name: 'webhooks.hand_out', run: handOutDeliveries },
    { name: 'live.end_playback', run: endPlaybackOfLost },
    { name: 'live.clean_up', run: cleanUpChannels },
    { name: 'live.fill_pool', run: fillPool },
  ],
  '17 * * * *': [
    { name: 'deletions.remind', run: remindOfDeletions },
    { name: 'views.salts', run: rotateViewSalts },
    { name: 'analytics.refresh', run: refreshChannels },
    { name: 'database.maintain', run: maintainDatabase },
    { name: 'videos.drop_superseded', run: dropSuperseded },
    { name: 'videos.drop_failed_originals', run: dropFailedOriginals },
    { name: 'videos.sweep_buckets', run: sweepBuckets },
    { name: 'webhooks.expire', run: expireWebhookLog },
    { name: 'live.viewers', run: sweepViewers },
  ],
  '41 3 * * *': [
    { name: 'timelines.trim', run: trimTimelines },
    { name: 'histories.trim', run: trimHistories },
    { name: 'counters.reconcile', run: reconcileCounters },
  ],
};

/** Runs the jobs of a cron expression, each under its lock so that two runs never overlap; one failure stops no other. */
export async function runCron(
  event: { readonly cron: string },
  services: Services,
  waitUntil: (task: Promise<unknown>) => void,
): Promise<void> {
  for (const job of isKnown(event.cron) ? cronTable[event.cron] : []) {
    const ctx = systemContext(services, { job: job.name, waitUntil });
    try {
      const work = () => withDatabaseScope(databaseScope(ctx, 'background'), () => job.run(ctx));
      const outcome = await withLock(services.bindings.LOCK, `cron:${job.name}`, { ttlMs: 300_000 }, work);
      ctx.log.log('info', outcome.acquired ? 'cron.completed' : 'cron.skipped', { cron: event.cron });
    } catch (error) {
      ctx.log.log('error', 'cron.failed', {
        cron: event.cron,
        error_name: error instanceof Error ? error.name : 'unknown',
      });
    }
  }
}

const isKnown = (cron: string): cron is CronSchedule => (cronSchedules as readonly string[]).includes(cron);
