import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { storeObject } from '../../../integrations/aws/index.ts';
import { watermarkNotFound, watermarkUnusable } from '../encoding.errors.ts';
import type { Corner, Watermark } from '../policy/plan-pictures.ts';
import { pngSize } from '../policy/png.ts';
import { orUnavailable } from '../videos.errors.ts';
import { deleteWatermark, findWatermark, saveWatermark } from '../watermarks.repository.ts';
import { dropSideFile, readSideFile } from './side-files.ts';

/** Pictures of an owner's watermarks. Earlier ones stay, since jobs that were planned with them may be tried again. */
export const watermarkPrefix = (ownerId: string): string => `watermarks/${ownerId}/`;

const minSide = 16;
const maxSide = 2_000;

/** @throws watermark.not_found */
export async function getWatermark(ctx: RequestContext): Promise<Watermark> {
  const mark = await findWatermark(ctx.databases.primary, requireViewerId(ctx));
  if (mark === undefined) throw watermarkNotFound();
  return mark;
}

/**
 * Sets what is put on everything the caller has encoded from now on.
 * @throws watermark.not_found when no picture is given and there is none; watermark.unusable, side_files.missing,
 * service.unavailable
 */
export async function putWatermark(
  ctx: RequestContext,
  wanted: {
    readonly fileId: string | undefined;
    readonly corner: Corner;
    readonly opacityPercent: number;
    readonly widthPercent: number;
  },
): Promise<Watermark> {
  const ownerId = requireViewerId(ctx);
  const { fileId, ...placement } = wanted;
  const picture = fileId === undefined ? await getWatermark(ctx) : await takePicture(ctx, ownerId, fileId);
  const mark = { key: picture.key, width: picture.width, height: picture.height, ...placement };
  await saveWatermark(ctx.databases.primary, ownerId, mark);
  if (fileId !== undefined) dropSideFile(ctx, fileId);
  return mark;
}

async function takePicture(
  ctx: RequestContext,
  ownerId: string,
  fileId: string,
): Promise<Pick<Watermark, 'key' | 'width' | 'height'>> {
  const { aws } = ctx.config;
  const bytes = new Uint8Array(await readSideFile(ctx, fileId));
  const size = pngSize(bytes);
  if (size === undefined || ![size.width, size.height].every((side) => side >= minSide && side <= maxSide))
    throw watermarkUnusable();
  const key = `${watermarkPrefix(ownerId)}${ctx.ids.next()}.png`;
  await orUnavailable(
    storeObject(aws, { bucket: aws.uploadsBucket, key }, { body: bytes, contentType: 'image/png' }),
  );
  return { key, ...size };
}

/** @throws watermark.not_found */
export async function removeWatermark(ctx: RequestContext): Promise<void> {
  if (!(await deleteWatermark(ctx.databases.primary, requireViewerId(ctx)))) throw watermarkNotFound();
}
