import { type AudioStream, INPUT_GUARD, type MediaProbe, type VideoStream } from '../../ffmpeg/index.ts';
import type { ClipRange } from '../captions/cues.ts';
import type { Input } from '../settings/create-job.ts';
import { timecodeSeconds } from '../settings/timecode.ts';
import type { Graph } from './graph.ts';
import { languageTag } from './plan.ts';

/** Pads that carry the input after clipping, joining, deinterlacing and rotation. */
export type Sources = {
  video: string | undefined;
  /** Pad of each audio stream that outputs use, by stream index. */
  audio: ReadonlyMap<number, string>;
};

/** The stretches of the input that a job keeps; undefined means all of it. Ranges beyond its end are dropped. */
export function clipRanges(input: Input, probe: MediaProbe): ClipRange[] | undefined {
  if (!input.inputClippings || input.inputClippings.length === 0) return undefined;
  const rate = mainVideo(probe)?.framesPerSecond;
  const framesPerSecond = rate ? rate.numerator / rate.denominator : 30;
  return input.inputClippings
    .map((clip) => ({
      startSeconds: clip.startTimecode ? timecodeSeconds(clip.startTimecode, framesPerSecond) : 0,
      // The frame that the end timecode names is the last one kept.
      endSeconds: Math.min(
        clip.endTimecode
          ? timecodeSeconds(clip.endTimecode, framesPerSecond) + 1 / framesPerSecond
          : Number.POSITIVE_INFINITY,
        probe.durationSeconds,
      ),
    }))
    .filter((range) => range.endSeconds > range.startSeconds);
}

/** The video stream that is transcoded: the first one that is not cover art. */
export function mainVideo(probe: MediaProbe): VideoStream | undefined {
  return probe.streams.find((stream): stream is VideoStream => stream.kind === 'video');
}

/**
 * The audio stream that a selector stands for. A selector that finds nothing falls back to the one marked DEFAULT,
 * as MediaConvert does; undefined when that finds nothing either.
 */
export function selectAudio(
  input: Input,
  selectorName: string | undefined,
  probe: MediaProbe,
): AudioStream | undefined {
  const selectors = input.audioSelectors ?? {};
  const streams = probe.streams.filter((stream): stream is AudioStream => stream.kind === 'audio');
  const fallback = Object.values(selectors).find((selector) => selector.defaultSelection === 'DEFAULT');
  const named = selectorName === undefined ? undefined : selectors[selectorName];
  for (const selector of [named ?? fallback ?? Object.values(selectors)[0], fallback]) {
    if (!selector) continue;
    const wanted = languageTag(selector.customLanguageCode ?? selector.languageCode);
    const found =
      selector.selectorType === 'LANGUAGE_CODE'
        ? streams.find((stream) => wanted !== undefined && languageTag(stream.language) === wanted)
        : streams[(selector.tracks?.[0] ?? 1) - 1];
    if (found) return found;
  }
  return undefined;
}

/** How far the picture will be turned clockwise on its way in. */
export function appliedRotation(input: Input, video: VideoStream): number {
  const rotate = input.videoSelector?.rotate ?? 'DEGREE_0';
  if (rotate === 'AUTO') return video.rotationDegrees;
  return rotate === 'DEGREE_0' ? 0 : Number(rotate.slice('DEGREES_'.length));
}

const TURN: Record<string, string> = {
  DEGREES_90: 'transpose=clock',
  DEGREES_180: 'hflip,vflip',
  DEGREES_270: 'transpose=cclock',
};

/** Adds the job's media file to the graph, once per kept stretch, and joins the stretches. */
export function buildSources(
  graph: Graph,
  input: Input,
  inputPath: string,
  video: VideoStream | undefined,
  audioIndexes: readonly number[],
  clips: readonly ClipRange[] | undefined,
): Sources {
  const rotate = input.videoSelector?.rotate ?? 'DEGREE_0';
  const indexes = (clips ?? [undefined]).map((clip) =>
    graph.addInput([
      ...(rotate === 'AUTO' ? [] : ['-noautorotate']),
      ...(clip ? ['-ss', clip.startSeconds.toFixed(6), '-to', clip.endSeconds.toFixed(6)] : []),
      ...INPUT_GUARD,
      '-i',
      inputPath,
    ]),
  );
  const pads = [...(video ? [video.index] : []), ...audioIndexes];
  const joined = new Map<number, string>();
  if (indexes.length === 1) {
    for (const stream of pads) joined.set(stream, `${indexes[0]}:${stream}`);
  } else {
    const outputs = pads.map((stream) => {
      const label = graph.label();
      joined.set(stream, label);
      return label;
    });
    const parts = indexes.flatMap((input) => pads.map((stream) => `${input}:${stream}`));
    graph.chain(parts, `concat=n=${indexes.length}:v=${video ? 1 : 0}:a=${audioIndexes.length}`, outputs);
  }
  const audio = new Map(
    audioIndexes.map((stream) => [stream, joined.get(stream) ?? `${indexes[0]}:${stream}`]),
  );
  if (!video) return { video: undefined, audio };
  const filters = [
    ...(video.interlaced ? ['yadif=deint=interlaced'] : []),
    ...(TURN[rotate] ? [TURN[rotate]] : []),
  ];
  const source = joined.get(video.index) ?? `${indexes[0]}:${video.index}`;
  if (filters.length === 0) return { video: source, audio };
  const label = graph.label();
  graph.chain([source], filters.join(','), [label]);
  return { video: label, audio };
}
