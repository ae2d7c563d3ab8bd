import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { headObject } from '../../../integrations/aws/index.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { clipOutside, clipSourceNotReady } from '../encoding.errors.ts';
import { type ClipSource, findClipSource, insertClip, type NewClip } from '../encoding.repository.ts';
import { captionsToCut } from '../policy/clip-captions.ts';
import { newEncodeJob } from '../policy/encode-queue.ts';
import { planStream } from '../policy/make-plan.ts';
import { sourceBucketOf } from '../policy/recordings.ts';
import { orUnavailable, videoNotFound } from '../videos.errors.ts';
import { findVideo } from '../videos.repository.ts';
import type { VideoRow } from '../videos.views.ts';
import { startQueuedJobs } from './start-queued-jobs.ts';

const minClipMs = 1_000;

export interface ClipRequest {
  readonly startMs: number;
  readonly endMs: number;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly visibility: string | undefined;
}

/**
 * Makes a video of a part of the caller's published video, encoded from its original file, with its part of the captions there
 * are now. It says where it comes from, and lives on its own from then on. A clip of a clip is cut from the same original.
 * @throws videos.not_found, clips.source_not_ready, clips.outside, service.unavailable
 */
export async function clipVideo(ctx: RequestContext, videoId: string, clip: ClipRequest): Promise<VideoRow> {
  const ownerId = requireViewerId(ctx);
  const { primary } = ctx.databases;
  const clipId = ctx.ids.next();
  const source = await findClipSource(primary, videoId, ownerId, clipId);
  if (source === undefined) throw videoNotFound();
  // The same id again: this request was made before, and only its answer was lost.
  if (!source.exists) await makeClip(ctx, ownerId, clipId, source, clip);
  const made = await findVideo(primary, clipId, ownerId);
  if (made === undefined) throw videoNotFound();
  return made;
}

async function makeClip(
  ctx: RequestContext,
  ownerId: string,
  clipId: string,
  source: ClipSource,
  clip: ClipRequest,
): Promise<void> {
  const { aws } = ctx.config;
  const { sourceKey, durationMs } = source;
  if (source.state !== 'published' || sourceKey === null || durationMs === null) throw clipSourceNotReady();
  if (clip.endMs > durationMs || clip.endMs - clip.startMs < minClipMs)
    throw clipOutside({
      errors: [
        {
          pointer: '/end_ms',
          code: 'outside',
          message: `must lie at least ${minClipMs} after start_ms and not after ${durationMs}`,
        },
      ],
    });
  const kept = await orUnavailable(
    headObject(aws, { bucket: sourceBucketOf(sourceKey, aws), key: sourceKey }),
  );
  if (kept === undefined) throw clipSourceNotReady();
  const startMs = source.offsetMs + clip.startMs;
  const endMs = source.offsetMs + clip.endMs;
  const { width, height, frameRate, videoCodec, audioCodec, colour } = source;
  const plan = planStream(
    {
      videoId: clipId,
      revision: 1,
      sourceKey,
      facts: {
        durationMs,
        picture:
          width === null || height === null
            ? undefined
            : { width, height, frameRate, codec: videoCodec, colour },
        sound: hasSound(source) ? { codec: audioCodec } : undefined,
      },
      clip: { startMs, endMs },
      watermark: source.watermark ?? undefined,
    },
    ctx.config.encoding,
  );
  const captions = newEvent(ctx, 'video.extras_requested', { video_id: clipId });
  const made: NewClip = {
    id: clipId,
    ownerId,
    sourceId: source.id,
    title: clip.title ?? source.title,
    description: clip.description ?? '',
    visibility: clip.visibility ?? source.visibility,
    startMs,
    endMs,
    captionsToCut: captionsToCut(source, { startMs: clip.startMs, endMs: clip.endMs }),
    job: newEncodeJob(clipId, plan, ctx.config.encoding.encodePrices),
  };
  if (!(await insertClip(ctx.databases.primary, made, captions))) throw clipSourceNotReady();
  publishAfterResponse(ctx, made.captionsToCut.length === 0 ? [] : [captions.id]);
  await startQueuedJobs(ctx);
}

/** A codec may be unknown though there is sound: then the plan of what is played would have told, so it is taken as none. */
const hasSound = (source: Pick<ClipSource, 'audioCodec'>): boolean => source.audioCodec !== null;
