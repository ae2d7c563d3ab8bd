import type { RequestContext } from '../../../context.ts';
import { deleteObjects, getObject, isAwsError, storeObject } from '../../../integrations/aws/index.ts';
import { fromUtf8, utf8 } from '../../../shared/encoding.ts';
import type { CaptionRow } from '../captions.repository.ts';
import { findCaptionsToCut, saveCutCaptions } from '../clip-captions.repository.ts';
import { cutCues, readCaptions, writeWebVtt } from '../policy/caption-text.ts';
import type { CaptionsToCut } from '../policy/clip-captions.ts';
import { forgetVideoPage } from './view-video.ts';

const maxStoredBytes = 4_194_304;

/**
 * Gives a clip its part of the captions that its source had when it was made. Files first, under names that follow from the
 * source's, then all rows in one statement: whatever comes between or comes twice changes nothing.
 * @throws AwsError when S3 did not answer.
 */
export async function cutCaptions(ctx: RequestContext, clipId: string): Promise<void> {
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  const wanted = await findCaptionsToCut(primary, clipId);
  if (wanted === undefined) return;
  const tracks: Omit<CaptionRow, 'updatedAt'>[] = [];
  const gone: string[] = [];
  for (const track of wanted) {
    const objectKey = `media/${clipId}/captions/${track.objectKey.slice(track.objectKey.lastIndexOf('/') + 1)}`;
    const text = await textOf(ctx, track);
    if (text === undefined) {
      gone.push(objectKey);
      continue;
    }
    const read = readCaptions(text);
    const cues = read.ok ? cutCues(read.cues, track) : [];
    if (cues.length === 0) continue;
    const body = writeWebVtt(cues);
    await storeObject(
      aws,
      { bucket: aws.mediaBucket, key: objectKey },
      { body, contentType: 'text/vtt; charset=utf-8' },
    );
    const { language, label, kind } = track;
    tracks.push({ language, label, kind, objectKey, cueCount: cues.length, sizeBytes: utf8(body).length });
  }
  // Cut by a try that broke off, and taken away at the source since.
  if (gone.length > 0) await deleteObjects(aws, aws.mediaBucket, gone);
  if (await saveCutCaptions(primary, clipId, tracks)) await forgetVideoPage(ctx, clipId);
}

/** Undefined when it was taken away since the clip was made: then its words are to be nowhere. */
async function textOf(ctx: RequestContext, track: CaptionsToCut): Promise<string | undefined> {
  const { aws } = ctx.config;
  try {
    return fromUtf8(await getObject(aws, { bucket: aws.mediaBucket, key: track.objectKey }, maxStoredBytes));
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey')) return undefined;
    throw error;
  }
}
