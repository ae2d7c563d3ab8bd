import type { RequestContext } from '../../../context.ts';
import { refuse } from './probe-video.ts';

/** Fails a video of whose moment nothing was recorded. */
export const refuseRecorded = (
  ctx: RequestContext,
  video: { readonly id: string; readonly ownerId: string; readonly revision: number },
): Promise<void> => refuse(ctx, video, 'source_missing');
