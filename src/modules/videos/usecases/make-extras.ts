import type { RequestContext } from '../../../context.ts';
import { getObject, isAwsError, storeObject } from '../../../integrations/aws/index.ts';
import {
  findVideoExtras,
  queueExtra,
  saveManifests,
  saveStoryboard,
  settleExtras,
  type VideoExtras,
} from '../extras.repository.ts';
import {
  type ManifestTrack,
  manifestVersion,
  trackPlaylist,
  withDashTracks,
  withHlsTracks,
} from '../policy/caption-manifests.ts';
import { storyboardKey } from '../policy/encode-plan.ts';
import { newEncodeJob } from '../policy/encode-queue.ts';
import { planDownload, planPreview } from '../policy/plan-pictures.ts';
import { imagePlaylistOf, storyboardOf } from '../policy/storyboard.ts';
import { cutCaptions } from './cut-captions.ts';
import { startQueuedJobs } from './start-queued-jobs.ts';
import { forgetVideoPage } from './view-video.ts';

const maxManifestBytes = 8_388_608;
const maxCaptionBytes = 4_194_304;
/** What lies under a versioned address never changes. */
const immutable = 'public, max-age=31536000, immutable';

/**
 * Makes what a published video has beside what is played: the index of its scrub pictures, manifests that name its caption
 * tracks, and the jobs for its moving preview and its download. Each part is made once; all may be repeated, and the cron does
 * so until the end was reached once.
 * @throws AwsError when S3 did not answer.
 */
export async function makeExtras(ctx: RequestContext, videoId: string): Promise<void> {
  // Before the film is published, too: what it is cut from may not be there for long.
  await cutCaptions(ctx, videoId);
  const video = await findVideoExtras(ctx.databases.primary, videoId);
  if (video === undefined) return;
  if (video.captionsBuilt < video.captionsWanted) await nameCaptions(ctx, video);
  if (video.storyboardKey === null) await indexScrubPictures(ctx, video);
  await queueFiles(ctx, video);
  if (video.dueSince !== null) await settleExtras(ctx.databases.primary, video);
}

/** The folder of what is played, wherever it was made: files made later lie beside it. */
const placeOf = (video: VideoExtras) => ({
  videoId: video.id,
  revision: video.revision,
  prefix: video.hlsKey.slice(0, video.hlsKey.lastIndexOf('/') + 1),
});

async function textOf(ctx: RequestContext, key: string, maxBytes = maxManifestBytes): Promise<string> {
  const { aws } = ctx.config;
  const bytes = await getObject(aws, { bucket: aws.mediaBucket, key }, maxBytes);
  return new TextDecoder().decode(bytes);
}

/** Undefined when there is no such file, which no later try would change. */
const textIfThere = (ctx: RequestContext, key: string): Promise<string | undefined> =>
  textOf(ctx, key).catch((error: unknown) => {
    if (isAwsError(error, 'NoSuchKey')) return undefined;
    throw error;
  });

const put = (ctx: RequestContext, key: string, body: string, contentType: string) =>
  storeObject(
    ctx.config.aws,
    { bucket: ctx.config.aws.mediaBucket, key },
    { body, contentType, cacheControl: immutable },
  );

/**
 * Writes manifests that name the tracks, under addresses of their own, and only then has them played: who plays the ones
 * before goes on undisturbed.
 */
async function nameCaptions(ctx: RequestContext, video: VideoExtras): Promise<void> {
  const { prefix } = placeOf(video);
  const tracks: ManifestTrack[] = [];
  for (const track of video.captions) {
    const name = track.objectKey.slice(track.objectKey.lastIndexOf('/') + 1);
    const named = {
      language: track.language,
      label: track.label,
      kind: track.kind,
      fileName: name,
      playlistName: name.replace(/\.vtt$/, '.m3u8'),
    };
    let text: string;
    try {
      text = await textOf(ctx, track.objectKey, maxCaptionBytes);
    } catch (error) {
      // Taken away since: the change that took it is the next to be built.
      if (isAwsError(error, 'NoSuchKey')) continue;
      throw error;
    }
    await put(ctx, prefix + named.fileName, text, 'text/vtt; charset=utf-8');
    await put(
      ctx,
      prefix + named.playlistName,
      trackPlaylist(named, video.durationMs),
      'application/vnd.apple.mpegurl',
    );
    tracks.push(named);
  }
  const hls = await textOf(ctx, manifestVersion(video.hlsKey, 0));
  const dash = await textOf(ctx, manifestVersion(video.dashKey, 0));
  const hlsKey = manifestVersion(video.hlsKey, video.captionsWanted);
  const dashKey = manifestVersion(video.dashKey, video.captionsWanted);
  await put(ctx, hlsKey, withHlsTracks(hls, tracks), 'application/vnd.apple.mpegurl');
  await put(ctx, dashKey, withDashTracks(dash, tracks), 'application/dash+xml');
  const captions = tracks.map(({ language, label, kind, fileName }) => ({
    language,
    label,
    kind,
    key: prefix + fileName,
  }));
  if (await saveManifests(ctx.databases.primary, video, { hlsKey, dashKey, captions }))
    await forgetVideoPage(ctx, video.id);
}

async function indexScrubPictures(ctx: RequestContext, video: VideoExtras): Promise<void> {
  const { prefix } = placeOf(video);
  const playlist = imagePlaylistOf((await textIfThere(ctx, manifestVersion(video.hlsKey, 0))) ?? '');
  if (playlist === undefined) return;
  const index = storyboardOf((await textIfThere(ctx, prefix + playlist)) ?? '', video.durationMs);
  if (index === undefined) return;
  const key = storyboardKey(placeOf(video));
  await put(ctx, key, index, 'text/vtt; charset=utf-8');
  await saveStoryboard(ctx.databases.primary, video, key);
}

async function queueFiles(ctx: RequestContext, video: VideoExtras): Promise<void> {
  if (video.plan === null) return;
  // A replaced file's plan was made for another row: its files lie where that put them, those made now beside them.
  const plan = { ...video.plan, ...placeOf(video) };
  const wanted = [
    video.wantsPreview ? planPreview(plan) : undefined,
    video.wantsDownload ? planDownload(plan) : undefined,
  ].filter((file) => file !== undefined);
  let queued = false;
  for (const file of wanted) {
    const job = newEncodeJob(ctx.ids.next(), file, ctx.config.encoding.encodePrices);
    if (await queueExtra(ctx.databases.primary, job)) queued = true;
  }
  if (queued) await startQueuedJobs(ctx);
}
