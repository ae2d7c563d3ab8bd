import {
  CustomSource,
  Input,
  type InputVideoTrack,
  MP4,
  MPEG_TS,
  QTFF,
  UnsupportedInputFormatError,
} from 'mediabunny';
import { type BlockReader, ReadBudgetExceeded } from './block-reader.ts';
import { createParseBudget, type ParseBudget } from './parse-budget.ts';

// Formats whose cost to read `parse-budget.ts` can bound. Matroska is not: seven bytes of a cluster are a block, five more
// are its 256 frames. Never ALL_FORMATS: a playlist (HLS) would make the parser read other addresses.
const formats = [MP4, QTFF, MPEG_TS];
const frameRateSamplePackets = 90;

// Bytes the parser may ask for: to tell the format and find the tracks, which in MP4 means the index of all samples (3 MB
// for an hour, ten times that once parsed); then to time them, for which MP4 needs a few fragments at most.
const indexBytes = 3_145_728;
const fragmentBytes = 1_048_576;
const packetBytes = 8_388_608;

/** Null for what neither the container nor the header of the codec says. */
export interface ContainerColours {
  readonly primaries: string | null;
  readonly transfer: string | null;
  readonly matrix: string | null;
}

/** What a container says about its tracks. */
export interface ContainerFacts {
  readonly format: string;
  readonly durationSeconds: number;
  readonly video:
    | {
        /** As shown: after rotation, in square pixels. */
        readonly width: number;
        readonly height: number;
        readonly codec: string | null;
        readonly frameRate: number | null;
        /** By their WebCodecs names. */
        readonly colours: ContainerColours;
      }
    | undefined;
  readonly audio: { readonly codec: string | null } | undefined;
}

/**
 * Reads tracks, duration and picture size from a few ranges of a file.
 * @returns undefined when the container is one this parser does not know, or a damaged one.
 * @throws ReadBudgetExceeded when the answer lies in more of the file than may be read; whatever else the reads threw.
 */
export async function probeContainer(reader: BlockReader): Promise<ContainerFacts | undefined> {
  const budget = createParseBudget(reader, indexBytes);
  const input = new Input({
    formats,
    source: new CustomSource({
      getSize: () => reader.sizeBytes,
      read: (start, end) => budget.read(start, end),
      handleUnhandledError: () => undefined,
    }),
  });
  try {
    return await factsOf(input, budget);
  } catch (error) {
    if (budget.failure !== undefined) throw budget.failure;
    if (error instanceof UnsupportedInputFormatError) return undefined;
    // Hostile bytes break parsers in many ways; none of them is our failure.
    return undefined;
  } finally {
    input.dispose();
  }
}

async function factsOf(input: Input, budget: ParseBudget): Promise<ContainerFacts> {
  const format = await input.getFormat();
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  budget.allow(format === MPEG_TS ? packetBytes : fragmentBytes);
  if (video === null && audio === null)
    return { format: format.name, durationSeconds: 0, video: undefined, audio: undefined };
  return {
    format: format.name,
    // Transport streams rarely start at zero.
    durationSeconds: (await input.computeDuration()) - Math.max(0, await input.getFirstTimestamp()),
    video:
      video === null
        ? undefined
        : {
            width: await video.getDisplayWidth(),
            height: await video.getDisplayHeight(),
            codec: await codecOf(video),
            frameRate: await frameRateOf(video, budget),
            colours: await coloursOf(video, budget),
          },
    audio: audio === null ? undefined : { codec: await audio.getCodec() },
  };
}

async function codecOf(track: InputVideoTrack): Promise<string | null> {
  const codec = await track.getCodec();
  if (codec !== null) return codec;
  const internal = await track.getInternalCodecId();
  return typeof internal === 'string' ? internal.slice(0, 32) : null;
}

/** Over the first frames; null when finding out would cost too many reads. */
async function frameRateOf(track: InputVideoTrack, budget: ParseBudget): Promise<number | null> {
  try {
    const { averagePacketRate } = await track.computePacketStats(frameRateSamplePackets);
    return Number.isFinite(averagePacketRate) && averagePacketRate > 0 ? averagePacketRate : null;
  } catch (error) {
    if (budget.failure instanceof ReadBudgetExceeded) return null;
    throw error;
  }
}

/** Nothing when finding out would cost too many reads. */
async function coloursOf(track: InputVideoTrack, budget: ParseBudget): Promise<ContainerColours> {
  try {
    const { primaries, transfer, matrix } = await track.getColorSpace();
    return { primaries: primaries ?? null, transfer: transfer ?? null, matrix: matrix ?? null };
  } catch (error) {
    if (budget.failure instanceof ReadBudgetExceeded)
      return { primaries: null, transfer: null, matrix: null };
    throw error;
  }
}
