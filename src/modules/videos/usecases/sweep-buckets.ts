import { z } from 'zod';
import type { RequestContext } from '../../../context.ts';
import { insertEvents, newEvent } from '../../../db/outbox.ts';
import {
  abortMultipartUpload,
  deletePrefix,
  listFolders,
  listMultipartUploadPage,
  type UploadMarker,
} from '../../../integrations/aws/index.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { idInFolder, msOfUuid } from '../policy/upload-keys.ts';
import { findStrayUploads, findVideosWithoutUse, readSweep, saveSweep } from '../sweeps.repository.ts';

const uploadFolders = ['quarantine/', 'originals/', 'thumbnails/'] as const;
const mediaFolders = ['media/', 'open/'] as const;
const objectsPerVideo = 5_000;
/** What is younger may belong to work that is under way. */
const graceMs = 86_400_000;
/** Each is a request; the last page may go beyond. */
const abortsPerRun = 200;

/** How many unfinished uploads a run looks at, in each folder. */
interface SweepLimits {
  readonly uploadsPerPage: number;
  readonly pagesPerRun: number;
}

const usualLimits: SweepLimits = { uploadsPerPage: 100, pagesPerRun: 10 };

/**
 * Finds files of videos that are deleted or gone, which a lost message, a crash or a late encode left behind: looks at a page of
 * each bucket's folders, and goes on there next time.
 */
export async function sweepBuckets(ctx: RequestContext, limits = usualLimits): Promise<void> {
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
      await sweepParts(ctx, { bucket: aws.uploadsBucket, prefix }, limits);
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

/**
 * Frees parts of uploads nobody knows of: their row is gone, or S3 began them and its answer was lost. Keys begin with the time
 * of their video, so the oldest come first; a run looks at some pages and the next goes on behind them.
 */
async function sweepParts(ctx: RequestContext, root: Root, limits: SweepLimits): Promise<void> {
  const { aws, videos } = ctx.config;
  const { primary } = ctx.databases;
  const oldEnoughMs = ctx.clock.now() - videos.uploadTtlSeconds * 1_000 - graceMs;
  const isOld = ({ key }: { readonly key: string }): boolean => {
    const id = idInFolder(key);
    return id !== undefined && msOfUuid(id) < oldEnoughMs;
  };
  const name = `parts:${root.prefix}`;
  let freed = 0;
  for (let page = 0; page < limits.pagesPerRun && freed < abortsPerRun; page += 1) {
    const after = markerIn(await readSweep(primary, name));
    const found = await listMultipartUploadPage(aws, { ...root, after, limit: limits.uploadsPerPage });
    const old = found.uploads.filter(isOld);
    const ids = old.map(({ uploadId }) => uploadId);
    const stray = ids.length === 0 ? new Set() : await findStrayUploads(primary, ids);
    for (const upload of old) if (stray.has(upload.uploadId)) await abortMultipartUpload(aws, upload);
    freed += stray.size;
    const last = idInFolder(found.uploads.at(-1)?.key ?? '');
    const next = last !== undefined && msOfUuid(last) >= oldEnoughMs ? undefined : found.next;
    await saveSweep(primary, name, next === undefined ? '' : JSON.stringify([next.key, next.uploadId]));
    if (next === undefined) return;
  }
}

const markerSchema = z.tuple([z.string(), z.string()]);

function markerIn(position: string): UploadMarker | undefined {
  if (position === '') return undefined;
  const [key, uploadId] = markerSchema.parse(JSON.parse(position));
  return { key, uploadId };
}

function report(ctx: RequestContext, prefix: string, error: unknown): void {
  ctx.log.log('warn', 'videos.sweep_failed', {
    prefix,
    reason: error instanceof Error ? error.message : undefined,
  });
}
