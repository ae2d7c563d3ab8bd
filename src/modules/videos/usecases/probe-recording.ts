import type { RequestContext } from '../../../context.ts';
import { getObject } from '../../../integrations/aws/index.ts';
import { fromUtf8 } from '../../../shared/encoding.ts';
import type { ProbeFacts } from '../policy/probe-verdict.ts';
import { playlistMs, type RecordingSource, recordingFacts, variantsOf } from '../policy/recordings.ts';

// Two days of segments of two seconds.
const maxPlaylistBytes = 16_000_000;

/** A playlist of the bucket of recordings. @throws AwsError `NoSuchKey`, `TooLarge`. */
export async function readPlaylist(ctx: RequestContext, key: string): Promise<string> {
  const { aws } = ctx.config;
  return fromUtf8(await getObject(aws, { bucket: aws.recordingsBucket, key }, maxPlaylistBytes));
}

/**
 * The facts of a recording of a live stream, by its playlists: our own channel has encoded it, so that its segments need not be
 * looked into. Undefined when they name nothing that could be played.
 * @throws AwsError
 */
export async function probeRecording(
  ctx: RequestContext,
  sourceKey: string,
  { prefix, rendition }: RecordingSource,
): Promise<ProbeFacts | undefined> {
  const folder = `${prefix}media/hls/`;
  const variants = variantsOf(await readPlaylist(ctx, `${folder}master.m3u8`));
  const variant =
    rendition === undefined ? variants[0] : variants.find(({ uri }) => uri.startsWith(`${rendition}/`));
  if (variant === undefined) return undefined;
  const played = rendition === undefined ? `${folder}${variant.uri}` : sourceKey;
  return recordingFacts(variant, playlistMs(await readPlaylist(ctx, played)));
}
