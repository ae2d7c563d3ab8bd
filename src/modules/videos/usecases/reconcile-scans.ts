import type { RequestContext } from '../../../context.ts';
import { readScanTag } from '../../../integrations/scanner/index.ts';
import { claimSilentScans, findScan, recordScan, type ScanRow } from '../scans.repository.ts';
import { settleScan } from './screen-upload.ts';

const batchSize = 25;

/**
 * Finds out what lost reports would have told: reads the tag the scanner leaves on files, asks again about those that wait
 * too long, goes on with interrupted moves and removes what was left behind. One that fails is left for the next run.
 */
export async function reconcileScans(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const silent = await claimSilentScans(primary, {
    nowMs: ctx.clock.now(),
    silentSeconds: ctx.config.videos.reconcileAfterSeconds,
    limit: batchSize,
  });
  for (const scan of silent) {
    try {
      const heard = await readTag(ctx, scan);
      await settleScan(ctx, heard ? ((await findScan(primary, scan.uploadId)) ?? scan) : scan);
    } catch (error) {
      ctx.log.log('warn', 'scan.reconcile_failed', {
        upload_id: scan.uploadId,
        error_name: error instanceof Error ? error.name : 'unknown',
        reason: error instanceof Error ? error.message : undefined,
      });
    }
  }
}

async function readTag(ctx: RequestContext, scan: ScanRow): Promise<boolean> {
  if (scan.verdict !== null || scan.settled || scan.videoState !== 'scanning') return false;
  const { aws } = ctx.config;
  const target = { bucket: aws.uploadsBucket, key: scan.objectKey };
  const status = await readScanTag(aws, target).catch((error: unknown) => {
    // Without tags a scan can still be asked for again.
    ctx.log.log('warn', 'scan.tag_unreadable', {
      upload_id: scan.uploadId,
      reason: error instanceof Error ? error.message : undefined,
    });
    return undefined;
  });
  // After a new request the tag may still be that of the scan before.
  if (status === undefined || (status === 'failed' && scan.requests > 1)) return false;
  const report = { ...target, etag: null, status, threats: [], reasons: [] };
  return recordScan(ctx.databases.primary, scan.uploadId, report);
}
