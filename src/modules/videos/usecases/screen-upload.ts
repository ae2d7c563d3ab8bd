import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import { deleteObjects } from '../../../integrations/aws/index.ts';
import { requestScan, scanReportOf } from '../../../integrations/scanner/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { type FailureCode, isRetryable } from '../policy/failures.ts';
import { nextScanStep } from '../policy/scan-state.ts';
import { isQuarantined, originalKeyOf, uploadIdOf } from '../policy/upload-keys.ts';
import {
  findOpenScans,
  findScan,
  markCleared,
  recordScan,
  recordScanRequest,
  refuseFile,
  releaseFile,
  type ScanRow,
} from '../scans.repository.ts';
import { copyToOriginals } from './move-original.ts';
import { isSettled, withdrawVideos } from './withdraw-file.ts';

const maxSteps = 5;

/**
 * An upload has arrived, or its file is on its way out of quarantine: goes on with it as far as is known by now. Usually
 * there is nothing to do yet, and the scanner's report brings it on.
 * @throws AwsError when a dependency did not answer: the message is tried again.
 */
export async function screenUpload(ctx: RequestContext, message: MessageOf<'video.uploaded'>): Promise<void> {
  for (const scan of await findOpenScans(ctx.databases.primary, message.data.video_id))
    await settleScan(ctx, scan);
}

/**
 * Takes in the scanner's report on an object. Reports on anything but uploads change nothing; duplicates and late ones
 * neither, unless they tell of a threat.
 * @throws AwsError when a dependency did not answer: the message is tried again.
 */
export async function takeScanReport(
  ctx: RequestContext,
  message: MessageOf<'guardduty.object_scanned'>,
): Promise<void> {
  const report = scanReportOf(message.data.detail);
  if (report === undefined) {
    ctx.log.log('error', 'scan.event_unreadable', { event_id: message.data.event_id });
    return;
  }
  const uploadId = uploadIdOf(report.key);
  if (report.bucket !== ctx.config.aws.uploadsBucket || uploadId === undefined) return;
  const { primary } = ctx.databases;
  if (await recordScan(primary, uploadId, report))
    ctx.log.log(report.status === 'clean' ? 'info' : 'warn', 'scan.reported', {
      upload_id: uploadId,
      scan_status: report.status,
      threats: report.threats,
      reasons: report.reasons,
    });
  const scan = await findScan(primary, uploadId);
  if (scan === undefined) return;
  if (report.status === 'infected' && isSettled(scan)) await withdrawVideos(ctx, scan, report);
  await settleScan(ctx, (await findScan(primary, uploadId)) ?? scan);
}

/**
 * Releases, refuses, asks or waits, as the scan stands. The one verb behind events, messages and the cron.
 * @throws AwsError
 */
export async function settleScan(ctx: RequestContext, scan: ScanRow): Promise<void> {
  let current: ScanRow | undefined = scan;
  for (let step = 0; step < maxSteps && current !== undefined; step += 1) {
    if (await takeStep(ctx, current)) return;
    current = await findScan(ctx.databases.primary, scan.uploadId);
  }
}

/** @returns false when somebody else changed the scan meanwhile and it must be looked at again. */
async function takeStep(ctx: RequestContext, scan: ScanRow): Promise<boolean> {
  if (scan.cleared) return true;
  if (scan.videoDeleted || scan.settled) return clear(ctx, scan);
  // Not completed yet.
  if (scan.videoState === 'uploading') return true;
  if (scan.videoState !== 'scanning') return clear(ctx, scan);
  const next = nextScanStep(scan, ctx.config.scanning);
  switch (next.kind) {
    case 'wait':
      // Only what is put into quarantine is scanned by itself.
      return isQuarantined(scan.objectKey) || scan.requests > 1 || askAgain(ctx, scan);
    case 'ask':
      return askAgain(ctx, scan);
    case 'refuse':
      return refuse(ctx, scan, next.code);
    case 'release':
      return release(ctx, scan);
  }
}

async function askAgain(ctx: RequestContext, scan: ScanRow): Promise<boolean> {
  if (!(await recordScanRequest(ctx.databases.primary, scan))) return false;
  const { aws } = ctx.config;
  await requestScan(aws, { bucket: aws.uploadsBucket, key: scan.objectKey });
  ctx.log.log('warn', 'scan.requested', { upload_id: scan.uploadId, requests: scan.requests + 1 });
  return true;
}

async function release(ctx: RequestContext, scan: ScanRow): Promise<boolean> {
  const outcome = await copyToOriginals(ctx, scan);
  const data = { video_id: scan.videoId, revision: scan.revision };
  if (outcome === 'unfinished') {
    await send(ctx, newEvent(ctx, 'video.uploaded', data));
    return true;
  }
  if (outcome === 'missing' || outcome === 'changed') {
    // Another run may have released it and tidied up.
    const now = await findScan(ctx.databases.primary, scan.uploadId);
    if (now?.settled !== false) return false;
    return refuse(ctx, now, outcome === 'missing' ? 'source_missing' : 'scan_failed');
  }
  const released = newEvent(ctx, 'video.released', data);
  const key = originalKeyOf(scan.objectKey);
  if (!(await releaseFile(ctx.databases.primary, scan.uploadId, key, released))) return false;
  await publishEvents(ctx, { ids: [released.id], limit: 1 });
  return clear(ctx, scan);
}

async function refuse(ctx: RequestContext, scan: ScanRow, code: FailureCode): Promise<boolean> {
  const failed = newEvent(ctx, 'video.failed', { video_id: scan.videoId, owner_id: scan.ownerId });
  if (!(await refuseFile(ctx, scan, { code, failed }))) return false;
  ctx.log.log('warn', 'scan.refused', { upload_id: scan.uploadId, failure_code: code });
  await publishEvents(ctx, { ids: [failed.id], limit: 1 });
  return clear(ctx, scan);
}

/** Removes what nobody needs of an upload that is settled or came to nothing. Always ends the work on it. */
async function clear(ctx: RequestContext, { uploadId }: ScanRow): Promise<true> {
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  const scan = await findScan(primary, uploadId);
  if (scan === undefined) return true;
  const original = originalKeyOf(scan.objectKey);
  const useless = new Set([scan.objectKey, original]);
  if (staysInQuarantine(ctx, scan)) useless.delete(scan.objectKey);
  if (scan.originalInUse) useless.delete(original);
  await deleteObjects(aws, aws.uploadsBucket, [...useless]);
  await markCleared(primary, uploadId);
  return true;
}

/** Held as evidence, or to be scanned once more when its owner tries again. */
const staysInQuarantine = (ctx: RequestContext, scan: ScanRow): boolean =>
  scan.videoState === 'failed' &&
  !scan.videoDeleted &&
  (scan.verdict === 'infected'
    ? ctx.config.scanning.infectedFiles === 'hold'
    : scan.failureCode !== null && isRetryable(scan.failureCode));

async function send(ctx: RequestContext, event: ReturnType<typeof newEvent>): Promise<void> {
  await insertEvents(ctx.databases.primary, [event]);
  await publishEvents(ctx, { ids: [event.id], limit: 1 });
}
