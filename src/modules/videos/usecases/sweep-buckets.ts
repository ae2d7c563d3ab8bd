import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import {
  abortMultipartUpload,
  deletePrefix,
  listFolders,
  listMultipartUploads,
} from '../../../integrations/aws/index.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { idInFolder, msOfUuid } from '../policy/upload-keys.ts';
import { findStrayUploads, findVideosWithoutUse, readSweep, saveSweep } from '../sweeps.repository.ts';

const uploadFolders = ['quarantine/', 'originals/', 'thumbnails/'] as const;
const mediaFolders = ['media/', 'open/'] as const;
const objectsPerVideo = 5_000;
/** What is younger may belong to work that is under way. */
const graceMs = 86_400_000;

/**
 * Finds files of videos that are deleted or gone, which a lost message, a crash or a late encode left behind: looks at a page of
 * each bucket's folders, and goes on there next time.
 */
export async function sweepBuckets(ctx: RequestContext): Promise<void> {
  const { aws } = ctx.config;
  const roots = [
    ...uploadFolders.map((prefix) => ({ bucket: aws.uploadsBucket, prefix })),
    ...mediaFolders.map((prefix) => ({ bucket: aws.mediaBucket, prefix })),
  ];
  for (const root of roots)
    try {
      await sweepFolders(ctx, root);
    } catch (error) {
      report(ctx, root.prefix, error);
    }
  for (const prefix of ['quarantine/', 'originals/'] as const)
    try {
      await sweepParts(ctx, { bucket: aws.uploadsBucket, prefix });
    } catch (error) {
      report(ctx, prefix, error);
    }
}

interface Root {
  readonly bucket: string;
  readonly prefix: string;
}

async function sweepFolders(ctx: RequestContext, root: Root): Promise<void> {
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  const after = await readSweep(primary, root.prefix);
  const { folders, isLast } = await listFolders(aws, { ...root, after });
  const oldEnoughMs = ctx.clock.now() - graceMs;
  const ids = folders
    .map(idInFolder)
    .filter((id): id is string => id !== undefined && msOfUuid(id) < oldEnoughMs);
  const stray = ids.length === 0 ? [] : await findVideosWithoutUse(primary, ids);
  const known = stray.flatMap(({ id, ownerId }) =>
    ownerId === null ? [] : [newEvent(ctx, 'video.deleted', { video_id: id, owner_id: ownerId })],
  );
  if (known.length > 0) {
    await insertEvents(primary, known);
    await publishEvents(ctx, { ids: known.map(({ id }) => id), limit: known.length });
  }
  for (const { id, ownerId } of stray)
    if (ownerId === null)
      await deletePrefix(aws, { bucket: root.bucket, prefix: `${root.prefix}${id}/` }, objectsPerVideo);
  if (stray.length > 0)
    ctx.log.log('warn', 'videos.files_of_nobody', { prefix: root.prefix, videos: stray.length });
  await saveSweep(primary, root.prefix, isLast ? '' : (folders.at(-1) ?? ''));
}

/** Frees parts of uploads nobody knows of: their row is gone, or S3 began them and its answer was lost. */
async function sweepParts(ctx: RequestContext, root: Root): Promise<void> {
  const { aws, videos } = ctx.config;
  const oldEnoughMs = ctx.clock.now() - videos.uploadTtlSeconds * 1_000 - graceMs;
  const old = (await listMultipartUploads(aws, root)).filter(({ key }) => {
    const id = idInFolder(key);
    return id !== undefined && msOfUuid(id) < oldEnoughMs;
  });
  if (old.length === 0) return;
  const stray = await findStrayUploads(
    ctx.databases.primary,
    old.map(({ uploadId }) => uploadId),
  );
  for (const upload of old) if (stray.has(upload.uploadId)) await abortMultipartUpload(aws, upload);
}

function report(ctx: RequestContext, prefix: string, error: unknown): void {
  ctx.log.log('warn', 'videos.sweep_failed', {
    prefix,
    reason: error instanceof Error ? error.message : undefined,
  });
}
