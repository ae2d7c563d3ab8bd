import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { isAwsError, storeObject } from '../../../integrations/aws/index.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { sentAway } from '../../live/index.ts';
import { streamNotFound, streamNotLive } from '../../streams/index.ts';
import { masterKey, readPlaylist, refuseRecorded, variantsOf } from '../../videos/index.ts';
import { clipsOff, notRecorded, tooManyClips } from '../broadcasts.errors.ts';
import { findWaitingClips, insertStreamClip, releaseClip, type WaitingClip } from '../clips.repository.ts';
import { clipPlaylist } from '../policy/clip-playlist.ts';

const cutAtOnce = 25;

/**
 * Makes a video of the last seconds of a live stream the caller may see. It belongs to the owner of the stream, and is as visible as
 * that.
 * @returns the id of the video.
 * @throws streams.not_found, live.sent_away, streams.not_live, streams.clips_off, streams.not_recorded, streams.too_many_clips.
 */
export async function clipStream(
  ctx: RequestContext,
  streamId: string,
  clip: { readonly seconds: number; readonly title: string | undefined },
): Promise<string> {
  const videoId = ctx.ids.next();
  const made = await insertStreamClip(ctx.databases.primary, {
    ...clip,
    videoId,
    streamId,
    creatorId: requireViewerId(ctx),
    nowMs: ctx.clock.now(),
  });
  if (made === undefined) throw streamNotFound();
  if (made.problem === 'sent_away') throw sentAway();
  if (made.problem === 'not_live') throw streamNotLive();
  if (made.problem === 'clips_off') throw clipsOff();
  if (made.problem === 'not_recorded') throw notRecorded();
  if (made.problem === 'too_many') throw tooManyClips({ headers: { 'retry-after': '600' } });
  return videoId;
}

/**
 * Cuts clips out of recordings as far as those have come: the segments of a clip become a playlist of their own beside them, of which
 * its video is made. One that fails is left for the next run.
 */
export async function cutClips(ctx: RequestContext): Promise<void> {
  for (const clip of await findWaitingClips(ctx.databases.primary, cutAtOnce))
    try {
      await cut(ctx, clip);
    } catch (error) {
      ctx.log.log('warn', 'broadcasts.clip_left', {
        video_id: clip.videoId,
        error_name: error instanceof Error ? error.name : 'unknown',
      });
    }
}

async function cut(ctx: RequestContext, clip: WaitingClip): Promise<void> {
  const { videoId, ownerId, prefix } = clip;
  const found = prefix === null ? 'none' : await findMoment(ctx, { ...clip, prefix });
  if (found === 'wait') return;
  if (found === 'none') return await refuseRecorded(ctx, { id: videoId, ownerId, revision: 1 });
  const { aws } = ctx.config;
  const sourceKey = `${found.folder}clip-${videoId}.m3u8`;
  const object = { body: found.playlist, contentType: 'application/vnd.apple.mpegurl' };
  await storeObject(aws, { bucket: aws.recordingsBucket, key: sourceKey }, object);
  const released = newEvent(ctx, 'video.released', { video_id: videoId, revision: 1 });
  if (await releaseClip(ctx.databases.primary, { videoId, sourceKey, released }))
    await publishEvents(ctx, { ids: [released.id], limit: 1 });
}

async function findMoment(
  ctx: RequestContext,
  { prefix, fromMs, toMs, beganAtMs, isOver }: WaitingClip & { readonly prefix: string },
): Promise<'wait' | 'none' | { readonly folder: string; readonly playlist: string }> {
  try {
    const master = masterKey(prefix);
    const [variant] = variantsOf(await readPlaylist(ctx, master));
    if (variant === undefined) return isOver ? 'none' : 'wait';
    const key = master.slice(0, master.lastIndexOf('/') + 1) + variant.uri;
    const recording = { beganAtMs: beganAtMs ?? fromMs, isOver };
    const playlist = clipPlaylist(await readPlaylist(ctx, key), { fromMs, toMs }, recording);
    return playlist === 'wait' || playlist === 'none'
      ? playlist
      : { folder: key.slice(0, key.lastIndexOf('/') + 1), playlist };
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey')) return isOver ? 'none' : 'wait';
    throw error;
  }
}
