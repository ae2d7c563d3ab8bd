import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { deleteObjects, getObject, isAwsError, presignPutObject } from '../../../integrations/aws/index.ts';
import { sideFileMissing } from '../encoding.errors.ts';
import { orUnavailable } from '../videos.errors.ts';

export const sideFilePrefix = (ownerId: string): string => `side-files/${ownerId}/`;

const ttlSeconds = 900;
export const maxSideFileBytes = 2_097_152;
const contentTypes = {
  captions: 'text/plain',
  watermark: 'image/png',
  emote: 'image/png',
  animated_emote: 'image/gif',
} as const;

/**
 * Lets the caller send a small file past the API. It lies under their own id, so that nobody else can name it, and is taken
 * away when it is used; what is never used, the lifecycle rule of the bucket removes.
 */
export async function startSideFile(
  ctx: RequestContext,
  file: { readonly purpose: keyof typeof contentTypes; readonly sizeBytes: number },
): Promise<{
  readonly id: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAtMs: number;
}> {
  const { aws } = ctx.config;
  const id = ctx.ids.next();
  const nowMs = ctx.clock.now();
  const signed = await presignPutObject(
    aws,
    { bucket: aws.uploadsBucket, key: sideFilePrefix(requireViewerId(ctx)) + id },
    { sizeBytes: file.sizeBytes, contentType: contentTypes[file.purpose], ttlSeconds, nowMs },
  );
  return { id, ...signed, expiresAtMs: nowMs + ttlSeconds * 1_000 };
}

/**
 * The bytes of a file the caller has sent.
 * @throws side_files.missing, service.unavailable
 */
export async function readSideFile(ctx: RequestContext, id: string): Promise<Uint8Array> {
  const { aws } = ctx.config;
  const key = sideFilePrefix(requireViewerId(ctx)) + id;
  try {
    return await orUnavailable(getObject(aws, { bucket: aws.uploadsBucket, key }, maxSideFileBytes));
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey', 'TooLarge'))
      throw sideFileMissing({
        errors: [{ pointer: '/file_id', code: 'missing', message: 'has not been sent, or is gone' }],
      });
    throw error;
  }
}

/** Takes a used file away after the answer. */
export function dropSideFile(ctx: RequestContext, id: string): void {
  const { aws } = ctx.config;
  const key = sideFilePrefix(requireViewerId(ctx)) + id;
  ctx.background(() => deleteObjects(aws, aws.uploadsBucket, [key]));
}
