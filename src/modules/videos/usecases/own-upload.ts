import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { findKnownUpload, type KnownUpload } from '../upload-progress.repository.ts';
import type { UploadRow } from '../uploads.repository.ts';
import { partListInvalid, uploadNotFound, uploadNotOpen } from '../videos.errors.ts';

/** @throws uploads.not_found also for uploads of others. */
export async function ownKnownUpload(ctx: RequestContext, uploadId: string): Promise<KnownUpload> {
  const known = await findKnownUpload(ctx.databases.primary, uploadId, requireViewerId(ctx));
  if (known === undefined) throw uploadNotFound();
  return known;
}

/** @throws uploads.not_found also for uploads of others. */
export const ownUpload = async (ctx: RequestContext, uploadId: string): Promise<UploadRow> =>
  (await ownKnownUpload(ctx, uploadId)).upload;

/**
 * An upload whose bytes its client sends, for what only the sender may do.
 * @throws uploads.not_found; uploads.not_open for imports, whose bytes we fetch ourselves.
 */
export async function ownSentUpload(ctx: RequestContext, uploadId: string): Promise<UploadRow> {
  const { upload, isImport } = await ownKnownUpload(ctx, uploadId);
  if (isImport)
    throw uploadNotOpen({ detail: 'The file is fetched from its address; nothing is to be sent.' });
  return upload;
}

/** @throws uploads.part_unknown */
export function refuseUnknownParts(partNumbers: readonly number[], partCount: number, pointer: string): void {
  const unknown = partNumbers.findIndex((partNumber) => partNumber > partCount);
  if (unknown >= 0)
    throw partListInvalid.unknown({
      errors: [
        { pointer: `${pointer}/${unknown}`, code: 'unknown', message: `this upload has ${partCount} parts` },
      ],
    });
}
