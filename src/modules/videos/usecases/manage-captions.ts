import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId, viewerIdOf } from '../../../http/viewer.ts';
import { deleteObjects, getObject, isAwsError, storeObject } from '../../../integrations/aws/index.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { fromUtf8, utf8 } from '../../../shared/encoding.ts';
import {
  type CaptionKind,
  type CaptionRow,
  type CaptionTracks,
  deleteCaption,
  listCaptions as listCaptionRows,
  mayHaveCaptions,
  saveCaption,
} from '../captions.repository.ts';
import { captionsMalformed, captionsNotFound, tooManyTracks } from '../encoding.errors.ts';
import { type CaptionProblem, type Cue, readCaptions, writeWebVtt } from '../policy/caption-text.ts';
import { orUnavailable, videoNotFound } from '../videos.errors.ts';
import { dropSideFile, readSideFile } from './side-files.ts';
import { forgetVideoPage } from './view-video.ts';

const maxStoredBytes = 4_194_304;

/**
 * The caption tracks of a video the caller may see.
 * @throws videos.not_found
 */
export async function listCaptions(ctx: RequestContext, videoId: string): Promise<CaptionTracks> {
  const found = await listCaptionRows(ctx.readDb, videoId, viewerIdOf(ctx));
  if (found === undefined) throw videoNotFound();
  return found;
}

/**
 * One track; its owner gets its words, too.
 * @throws videos.not_found, captions.not_found, service.unavailable
 */
export async function getCaptions(
  ctx: RequestContext,
  videoId: string,
  language: string,
): Promise<{ readonly tracks: CaptionTracks; readonly track: CaptionRow; readonly text: string | null }> {
  const { aws } = ctx.config;
  const tracks = await listCaptions(ctx, videoId);
  const track = tracks.captions.find((candidate) => candidate.language === language);
  if (track === undefined) throw captionsNotFound();
  if (!tracks.isOwner) return { tracks, track, text: null };
  const target = { bucket: aws.mediaBucket, key: track.objectKey };
  try {
    return { tracks, track, text: fromUtf8(await orUnavailable(getObject(aws, target, maxStoredBytes))) };
  } catch (error) {
    // Replaced or taken away between the row and the file.
    if (isAwsError(error, 'NoSuchKey')) return { tracks, track, text: null };
    throw error;
  }
}

export interface NewCaptions {
  readonly videoId: string;
  readonly language: string;
  readonly label: string;
  readonly kind: CaptionKind;
  readonly source: { readonly text: string } | { readonly fileId: string };
}

/**
 * Gives the caller's video captions in a language, in place of those it has. A published video plays them as soon as its
 * manifests are written anew, one that is still to be published from its first moment on.
 * @throws videos.not_found, captions.malformed, captions.too_many, side_files.missing, service.unavailable
 */
export async function putCaptions(ctx: RequestContext, captions: NewCaptions): Promise<CaptionRow> {
  const ownerId = requireViewerId(ctx);
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  const { videoId, language, label, kind, source } = captions;
  if (!(await mayHaveCaptions(primary, videoId, ownerId))) throw videoNotFound();
  const cues = cuesOf('text' in source ? source.text : await textOfFile(ctx, source.fileId));
  const body = writeWebVtt(cues);
  // Named anew each time, so that what caches hold under the name before stays right.
  const objectKey = `media/${videoId}/captions/${language}-${ctx.ids.next()}.vtt`;
  await orUnavailable(
    storeObject(
      aws,
      { bucket: aws.mediaBucket, key: objectKey },
      { body, contentType: 'text/vtt; charset=utf-8' },
    ),
  );
  const changed = newEvent(ctx, 'video.extras_requested', { video_id: videoId });
  const sizeBytes = utf8(body).length;
  const row = { language, label, kind, objectKey, cueCount: cues.length, sizeBytes };
  const saved = await saveCaption(primary, { id: videoId, ownerId }, row, changed);
  if (saved === 'missing') throw videoNotFound();
  if (saved === 'full') throw tooManyTracks();
  if ('fileId' in source) dropSideFile(ctx, source.fileId);
  await forgetVideoPage(ctx, videoId);
  publishAfterResponse(ctx, [changed.id]);
  return saved.saved;
}

/**
 * Takes the captions in a language away from the caller's video. Who plays it already goes on with empty ones.
 * @throws captions.not_found, service.unavailable
 */
export async function removeCaptions(ctx: RequestContext, videoId: string, language: string): Promise<void> {
  const { aws } = ctx.config;
  const changed = newEvent(ctx, 'video.extras_requested', { video_id: videoId });
  const track = { videoId, ownerId: requireViewerId(ctx), language };
  const gone = await deleteCaption(ctx.databases.primary, track, changed);
  if (gone === undefined) throw captionsNotFound();
  await forgetVideoPage(ctx, videoId);
  publishAfterResponse(ctx, [changed.id]);
  const { objectKey, hlsKey } = gone;
  // An encode that draws these into the picture may still be on its way: it needs them until the film is published.
  if (hlsKey === null) return;
  const played = `${hlsKey.slice(0, hlsKey.lastIndexOf('/') + 1)}${objectKey.slice(objectKey.lastIndexOf('/') + 1)}`;
  ctx.background(async () => {
    await deleteObjects(aws, aws.mediaBucket, [objectKey]);
    await storeObject(
      aws,
      { bucket: aws.mediaBucket, key: played },
      { body: 'WEBVTT\n', contentType: 'text/vtt; charset=utf-8', cacheControl: 'no-store' },
    );
  });
}

async function textOfFile(ctx: RequestContext, fileId: string): Promise<string> {
  const bytes = await readSideFile(ctx, fileId);
  try {
    return fromUtf8(bytes);
  } catch {
    throw captionsMalformed({
      errors: [{ pointer: '/file_id', code: 'not_utf8', message: 'must be UTF-8' }],
    });
  }
}

const messages: Readonly<Record<CaptionProblem, string>> = {
  not_captions: 'is neither WebVTT nor SubRip',
  no_cues: 'has no captions in it',
  too_many_cues: 'has more captions than are accepted',
  timing_malformed: 'has times that cannot be read',
  ends_before_start: 'has a caption that ends before it begins',
  line_too_long: 'has a line that is too long',
  cue_too_long: 'has a caption with too many lines',
};

function cuesOf(text: string): readonly Cue[] {
  const refuse = (code: string, message: string) =>
    captionsMalformed({ errors: [{ pointer: '/text', code, message }] });
  if (!text.isWellFormed() || text.includes('\0')) throw refuse('not_text', 'must be well-formed Unicode');
  const read = readCaptions(text);
  if (!read.ok) throw refuse(read.problem, `${messages[read.problem]} (line ${read.line})`);
  return read.cues;
}
