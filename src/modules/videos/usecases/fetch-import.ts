import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  isAwsError,
} from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { open } from '../../../shared/crypto/envelope.ts';
import { fromHex } from '../../../shared/encoding.ts';
import {
  type ClaimedImport,
  claimIdleImports,
  claimImport,
  endImport,
  listImportedParts,
  releaseImport,
} from '../imports.repository.ts';
import type { FailureCode } from '../policy/failures.ts';
import { planParts } from '../policy/part-plan.ts';
import { declareSize } from '../upload-reservations.repository.ts';
import { failUpload, keepS3UploadId, markCompleting, type UploadRow } from '../uploads.repository.ts';
import { type CopyOutcome, copyFile, type ImportRun } from './copy-import.ts';
import { addressPlace } from './import-video.ts';
import { freeParts, settleUpload } from './settle-upload.ts';

const maxFailures = 8;
const idleSeconds = 180;
const batchSize = 25;

/** The import goes on later: the message is tried again. */
class ImportInterrupted extends Error {
  constructor(reason: string) {
    super(`import interrupted: ${reason}`);
    this.name = 'ImportInterrupted';
  }
}

/**
 * Fetches the file of an import into S3, from where the last run stopped, and completes its upload. One run at a time has the
 * import; what it stored is kept part by part, so a crash anywhere costs one part. Does nothing when it has ended.
 * @throws when the server, S3 or the database did not answer: the message is tried again.
 */
export async function fetchImport(
  ctx: RequestContext,
  message: MessageOf<'video.import_requested'>,
): Promise<void> {
  const { upload_id: uploadId } = message.data;
  const { primary } = ctx.databases;
  const leaseId = crypto.randomUUID();
  const claimed = await claimImport(primary, uploadId, leaseId);
  if (claimed === undefined) return;
  const run: ImportRun = { uploadId, leaseId };
  let outcome: CopyOutcome;
  try {
    outcome = allThere(claimed) ?? (await copy(ctx, run, claimed));
  } catch (error) {
    await releaseImport(primary, run, true);
    throw error;
  }
  switch (outcome.kind) {
    case 'lost':
      return;
    case 'failed':
      return fail(ctx, claimed.upload, outcome.code);
    case 'paused':
      await releaseImport(primary, run, false);
      return request(ctx, uploadId);
    case 'interrupted':
      return interrupted(ctx, run, claimed.upload, outcome.code);
    case 'copied':
      return finish(ctx, run, claimed.upload, outcome);
  }
}

/** An earlier run has stored the last part, and could not join them. */
const allThere = ({ upload: { state, s3UploadId }, doneBytes }: ClaimedImport): CopyOutcome | undefined =>
  state === 'completing' && s3UploadId !== null
    ? { kind: 'copied', totalBytes: doneBytes, s3UploadId }
    : undefined;

async function copy(ctx: RequestContext, run: ImportRun, claimed: ClaimedImport): Promise<CopyOutcome> {
  const place = addressPlace(run.uploadId);
  const address = await open(ctx.config.encryption, fromHex(claimed.sealedUrl), place);
  return address === undefined
    ? { kind: 'failed', code: 'import_not_available' }
    : copyFile(ctx, run, await begun(ctx, claimed), new TextDecoder().decode(address));
}

async function interrupted(
  ctx: RequestContext,
  run: ImportRun,
  upload: UploadRow,
  code: FailureCode,
): Promise<void> {
  const failures = await releaseImport(ctx.databases.primary, run, true);
  if (failures >= maxFailures) return fail(ctx, upload, code);
  throw new ImportInterrupted(code);
}

/** The import with its upload begun in S3. */
async function begun(ctx: RequestContext, claimed: ClaimedImport): Promise<ClaimedImport> {
  const { upload } = claimed;
  if (upload.s3UploadId !== null) return claimed;
  const target = { bucket: ctx.config.aws.uploadsBucket, key: upload.objectKey };
  const created = await createMultipartUpload(ctx.config.aws, { ...target, contentType: upload.contentType });
  const kept = await keepS3UploadId(ctx.databases.primary, upload.id, created);
  if (kept !== created) await abortMultipartUpload(ctx.config.aws, { ...target, uploadId: created });
  return { ...claimed, upload: { ...upload, s3UploadId: kept ?? null } };
}

/** Joins the parts and sends the video on. Safe to repeat. */
async function finish(
  ctx: RequestContext,
  run: ImportRun,
  upload: UploadRow,
  copied: { readonly totalBytes: number; readonly s3UploadId: string },
): Promise<void> {
  const { aws, videos } = ctx.config;
  const { primary } = ctx.databases;
  const { totalBytes: sizeBytes } = copied;
  const size = { id: upload.id, ownerId: upload.ownerId, sizeBytes, ...planParts(sizeBytes) };
  if ((await declareSize(primary, size, videos)) !== undefined) return fail(ctx, upload, 'import_over_quota');
  if (!(await markCompleting(primary, upload.id))) return;
  const target = { bucket: aws.uploadsBucket, key: upload.objectKey, uploadId: copied.s3UploadId };
  try {
    await completeMultipartUpload(aws, target, await listImportedParts(primary, upload.id));
  } catch (error) {
    // An earlier try has joined them: the object tells.
    if (!isAwsError(error, 'NoSuchUpload')) {
      await releaseImport(primary, run, true);
      throw error;
    }
  }
  await settleUpload(ctx, { ...upload, sizeBytes }, 'expired');
  await endImport(primary, upload.id, null);
}

/** Ends an import and its video with a reason. */
async function fail(ctx: RequestContext, upload: UploadRow, code: FailureCode): Promise<void> {
  const { primary } = ctx.databases;
  const failed = newEvent(ctx, 'video.failed', { video_id: upload.videoId, owner_id: upload.ownerId });
  if (await failUpload(primary, upload.id, { state: 'aborted', code, failed }))
    await publishEvents(ctx, { ids: [failed.id], limit: 1 });
  await endImport(primary, upload.id, code);
  await freeParts(ctx, upload);
}

async function request(ctx: RequestContext, uploadId: string): Promise<void> {
  const again = newEvent(ctx, 'video.import_requested', { upload_id: uploadId });
  await insertEvents(ctx.databases.primary, [again]);
  await publishEvents(ctx, { ids: [again.id], limit: 1 });
}

/** Has imports go on whose message was lost, or whose run was. */
export async function resumeImports(ctx: RequestContext): Promise<void> {
  for (const id of await claimIdleImports(ctx.databases.primary, { idleSeconds, limit: batchSize }))
    await request(ctx, id);
}
