import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { getRange, isAwsError, type ProbeResult, probe } from '../../../integrations/aws/index.ts';
import {
  type BlockReader,
  createBlockReader,
  ebmlStructure,
  isDisguised,
  isoStructure,
  probeContainer,
  ReadBudgetExceeded,
} from '../../../integrations/media/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { colourOf } from '../policy/colour.ts';
import { type Container, endsEarly, sniffBytes, sniffContainer } from '../policy/containers.ts';
import { newEncodeJob } from '../policy/encode-queue.ts';
import type { FailureCode } from '../policy/failures.ts';
import { planStream } from '../policy/make-plan.ts';
import { type ProbeFacts, refusalOf } from '../policy/probe-verdict.ts';
import { type RecordingSource, recordingOf } from '../policy/recordings.ts';
import { acceptProbe, findVideoToProbe, refuseVideo, type VideoToProbe } from '../probe.repository.ts';
import { probeRecording } from './probe-recording.ts';
import { startQueuedJobs } from './start-queued-jobs.ts';

/**
 * Looks into an uploaded file and either queues its encode or fails the video with a reason. Reads a few ranges of the file;
 * its name and declared type count for nothing. Does nothing when the video is past this already.
 * @throws AwsError when S3 or MediaConvert could not answer: the message is tried again.
 */
export async function probeVideo(ctx: RequestContext, message: MessageOf<'video.released'>): Promise<void> {
  const { video_id: videoId, revision } = message.data;
  const video = await findVideoToProbe(ctx.databases.primary, videoId, revision);
  if (video === undefined) return;
  const found = await inspect(ctx, video);
  const refusal = typeof found === 'string' ? found : refusalOf(found, ctx.config.videos);
  if (typeof found === 'string' || refusal !== undefined) await refuse(ctx, video, refusal ?? 'not_a_video');
  else await accept(ctx, video, found);
}

/** Fails a video that cannot be processed, and tells so. Once only. */
export async function refuse(
  ctx: RequestContext,
  video: Pick<VideoToProbe, 'id' | 'ownerId' | 'revision'>,
  code: FailureCode,
): Promise<void> {
  const failed = newEvent(ctx, 'video.failed', { video_id: video.id, owner_id: video.ownerId });
  const { id: videoId, revision } = video;
  if (await refuseVideo(ctx.databases.primary, { videoId, revision, code, failed })) {
    ctx.log.log('info', 'video.refused', { video_id: videoId, failure_code: code });
    await publishEvents(ctx, { ids: [failed.id], limit: 1 });
  }
}

async function accept(ctx: RequestContext, video: VideoToProbe, facts: ProbeFacts): Promise<void> {
  const { id: videoId, revision } = video;
  const plan = planStream(
    {
      videoId,
      revision,
      sourceKey: video.sourceKey,
      facts,
      watermark: video.watermark ?? undefined,
      burnIn: video.burnIn,
    },
    ctx.config.encoding,
  );
  const job = newEncodeJob(ctx.ids.next(), plan, ctx.config.encoding.encodePrices);
  if (await acceptProbe(ctx.databases.primary, { facts, job })) await startQueuedJobs(ctx);
}

/** The facts of a file, or why it has none. */
async function inspect(ctx: RequestContext, video: VideoToProbe): Promise<ProbeFacts | FailureCode> {
  const { aws, videos } = ctx.config;
  const recording = recordingOf(video.sourceKey);
  if (recording !== undefined) return inspectRecording(ctx, video.sourceKey, recording);
  const target = { bucket: aws.uploadsBucket, key: video.sourceKey };
  const reader = createBlockReader(video.sourceBytes, videos.probeMaxRequests, (start, end) =>
    getRange(aws, target, { start, end }),
  );
  try {
    const container = sniffContainer(await reader.read(0, sniffBytes));
    if (container === undefined) return 'not_a_video';
    const problem = await problemOf(container, reader, videos);
    if (problem !== undefined) return problem;
    const facts = readable.has(container) ? await readFacts(reader) : undefined;
    return facts ?? (await askMediaConvert(ctx, target, container));
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey')) return 'source_missing';
    throw error;
  }
}

async function inspectRecording(
  ctx: RequestContext,
  sourceKey: string,
  recording: RecordingSource,
): Promise<ProbeFacts | FailureCode> {
  try {
    return (await probeRecording(ctx, sourceKey, recording)) ?? 'not_a_video';
  } catch (error) {
    if (isAwsError(error, 'NoSuchKey')) return 'source_missing';
    throw error;
  }
}

/** What is wrong with how a file is built, told before anything reads its index or its samples. */
async function problemOf(
  container: Container,
  reader: BlockReader,
  limits: { readonly maxTracks: number; readonly maxSidePixels: number },
): Promise<FailureCode | undefined> {
  try {
    if (await isDisguised(reader)) return 'polyglot';
    if (await endsEarly(container, reader.sizeBytes, (start, end) => reader.read(start, end)))
      return 'truncated';
    const walk = walks[container];
    if (walk === undefined) return undefined;
    const { problem, size } = await walk(reader, limits.maxTracks);
    if (problem !== undefined) return problem;
    return Math.max(size.width, size.height) > limits.maxSidePixels ? 'too_large_dimensions' : undefined;
  } catch (error) {
    // Its parts lie too far from each other for a few reads.
    if (error instanceof ReadBudgetExceeded) return undefined;
    throw error;
  }
}

const walks: Partial<Record<Container, typeof isoStructure>> = {
  isobmff: isoStructure,
  matroska: ebmlStructure,
};

/** What the Worker parses itself. The rest is MediaConvert's to read. */
const readable: ReadonlySet<Container> = new Set<Container>(['isobmff', 'mpegts']);

/** Undefined when the answer lies too deep in the file, or the parser gives up on it. */
async function readFacts(reader: BlockReader): Promise<ProbeFacts | undefined> {
  try {
    const found = await probeContainer(reader);
    if (found === undefined) return undefined;
    return {
      container: found.format,
      durationMs: Math.round(found.durationSeconds * 1_000),
      picture: found.video && { ...found.video, colour: colourOf(found.video.colours) },
      sound: found.audio,
    };
  } catch (error) {
    if (error instanceof ReadBudgetExceeded) return undefined;
    throw error;
  }
}

async function askMediaConvert(
  ctx: RequestContext,
  target: { readonly bucket: string; readonly key: string },
  container: Container,
): Promise<ProbeFacts | FailureCode> {
  try {
    const answer = await probe(ctx.config.aws, target);
    return answer?.container === undefined ? 'not_a_video' : factsOf(answer, container);
  } catch (error) {
    if (isAwsError(error, 'NotFoundException')) return 'source_missing';
    if (isAwsError(error, 'BadRequestException', 'UnprocessableEntityException')) return 'not_a_video';
    throw error;
  }
}

function factsOf(answer: ProbeResult, sniffed: Container): ProbeFacts {
  const tracks = answer.container?.tracks ?? [];
  const video = tracks.find((track) => track.trackType === 'video');
  const audio = tracks.find((track) => track.trackType === 'audio');
  return {
    container: answer.container?.format ?? sniffed,
    durationMs: Math.round((answer.container?.duration ?? 0) * 1_000),
    picture: video === undefined ? undefined : pictureOf(video),
    sound: audio === undefined ? undefined : { codec: audio.codec ?? null },
  };
}

type ProbedTrack = NonNullable<NonNullable<ProbeResult['container']>['tracks']>[number];

function pictureOf(track: ProbedTrack): NonNullable<ProbeFacts['picture']> {
  const properties = track.videoProperties ?? {};
  const { width = 0, height = 0, frameRate, rotation = 0, sampleAspectRatio } = properties;
  const pixelAspect = ratioOf(sampleAspectRatio?.numerator, sampleAspectRatio?.denominator) ?? 1;
  const shownWidth = Math.round(width * pixelAspect);
  const onItsSide = Math.abs(rotation) % 180 === 90;
  return {
    width: onItsSide ? height : shownWidth,
    height: onItsSide ? shownWidth : height,
    codec: track.codec ?? null,
    frameRate: ratioOf(frameRate?.numerator, frameRate?.denominator),
    colour: colourOf({
      primaries: properties.colorPrimaries,
      transfer: properties.transferCharacteristics,
      matrix: properties.matrixCoefficients,
    }),
  };
}

const ratioOf = (numerator = 0, denominator = 0): number | null =>
  numerator > 0 && denominator > 0 ? numerator / denominator : null;
