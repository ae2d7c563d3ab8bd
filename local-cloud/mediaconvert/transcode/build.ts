import type { AudioStream, VideoStream } from '../../ffmpeg/index.ts';
import { writeAss } from '../captions/ass.ts';
import type { ClipRange } from '../captions/cues.ts';
import { JobFailure } from '../errors.ts';
import type {
  AudioDescription,
  Input,
  Output,
  OutputGroup,
  VideoDescription,
} from '../settings/create-job.ts';
import { expandAutomatedAbr } from './automated-abr.ts';
import { frameRateFor, outputLayout } from './codecs.ts';
import { colorFilters } from './color.ts';
import { createGraph, type Graph, type SharedPad, sharedPad } from './graph.ts';
import { correctionKey, soundFilters } from './loudness.ts';
import { overlayImages } from './overlay.ts';
import {
  displaySize,
  type Plan,
  type PlannedGroup,
  type PlanRequest,
  type PlanWarning,
  WARNING_NO_AUDIO,
} from './plan.ts';
import { buildCmafGroup } from './plan-cmaf.ts';
import { buildFileGroup } from './plan-file.ts';
import { type Framing, frameFor } from './scale.ts';
import { appliedRotation, buildSources, clipRanges, mainVideo, selectAudio } from './sources.ts';

/** What the builders of single groups share. */
export type BuildContext = {
  request: PlanRequest;
  input: Input;
  graph: Graph;
  durationSeconds: number;
  video: { stream: VideoStream; width: number; height: number } | undefined;
  files: Plan['files'];
  directories: string[];
  warnings: PlanWarning[];
  /** Pad with one output's picture, framed, watermarked and with its captions burnt in. */
  videoPad(output: Output, description: VideoDescription, before: string): { pad: string; framing: Framing };
  /** Pad with one output's sound, or undefined (after noting a warning) when the input has none for it. */
  audioPad(description: AudioDescription, path: string): { pad: string; stream: AudioStream } | undefined;
  /** A pad with the picture as it comes in, after input-level watermarks. */
  rawVideoPad(): string;
};

/**
 * Plans one ffmpeg run that decodes the input once and makes every output of the job.
 * @throws JobFailure 1030 when the input has nothing to make the outputs from.
 */
export function buildPlan(request: PlanRequest): Plan {
  const [input] = request.settings.inputs;
  if (!input) throw new JobFailure(1999, 'the job has no input');
  const clips = clipRanges(input, request.probe);
  if (clips?.length === 0) throw new JobFailure(1030, 'all input clippings lie beyond the end of the input');
  const durationSeconds = totalSeconds(clips) ?? request.probe.durationSeconds;
  const wantsVideo = request.settings.outputGroups.some((group) =>
    group.outputs.some((output) => output.videoDescription),
  );
  const stream = wantsVideo ? mainVideo(request.probe) : undefined;
  if (!stream && wantsVideo) {
    throw new JobFailure(1030, `input file [${input.fileInput}] has no video for the outputs that need it`);
  }
  const groups = expandGroups(request, input, stream);
  const outputs = groups.flatMap((group) => group.outputs);

  const graph = createGraph();
  const audioIndexes = usedAudio(input, outputs, request);
  const sources = buildSources(graph, input, request.inputPath, stream, audioIndexes, clips);
  const picture = sources.video
    ? sharedPad(graph, watermarked(graph, sources.video, input, request), 'split')
    : undefined;
  const sound = new Map([...sources.audio].map(([index, pad]) => [index, sharedPad(graph, pad, 'asplit')]));

  const context = createContext(request, input, graph, durationSeconds, stream, picture, sound);
  const args: string[] = [];
  const planned: PlannedGroup[] = [];
  for (const [index, group] of groups.entries()) {
    const built = buildGroup(context, group, index);
    if (!built) continue;
    args.push(...built.args);
    planned.push(built.group);
  }
  if (planned.length === 0)
    throw new JobFailure(1030, `input file [${input.fileInput}] has no usable audio or video`);
  picture?.close();
  for (const pad of sound.values()) pad.close();
  return {
    args: [...graph.inputArgs(), '-filter_complex', graph.filterGraph(), ...args],
    directories: context.directories,
    files: context.files,
    needsFonts: context.files.some((file) => file.name.endsWith('.ass')),
    durationSeconds,
    framesPerSecond: firstFrameRate(planned),
    groups: planned,
    warnings: context.warnings,
  };
}

function expandGroups(request: PlanRequest, input: Input, stream: VideoStream | undefined): OutputGroup[] {
  const source = stream && displaySize(stream, appliedRotation(input, stream));
  return request.settings.outputGroups.map((group) =>
    expandAutomatedAbr(group, source, ({ codecSettings }) =>
      frameRateFor(
        codecSettings.codec === 'H_264' ? codecSettings.h264Settings : {},
        stream?.framesPerSecond,
      ),
    ),
  );
}

function buildGroup(
  context: BuildContext,
  group: OutputGroup,
  index: number,
): { args: string[]; group: PlannedGroup } | undefined {
  const settings = group.outputGroupSettings;
  return settings.type === 'CMAF_GROUP_SETTINGS'
    ? buildCmafGroup(context, settings.cmafGroupSettings, group.outputs, index)
    : buildFileGroup(context, settings.fileGroupSettings.destination, group.outputs, index);
}

function createContext(
  request: PlanRequest,
  input: Input,
  graph: Graph,
  durationSeconds: number,
  stream: VideoStream | undefined,
  picture: SharedPad | undefined,
  sound: ReadonlyMap<number, SharedPad>,
): BuildContext {
  const video = stream && { stream, ...displaySize(stream, appliedRotation(input, stream)) };
  const rawVideoPad = (): string => {
    if (!picture) throw new JobFailure(1030, 'the input has no video');
    return picture.take();
  };
  const context: BuildContext = {
    request,
    input,
    graph,
    durationSeconds,
    video,
    files: [],
    directories: [],
    warnings: [],
    rawVideoPad,
    videoPad: (output, description, before) => {
      const framing = frameFor(description, video ?? { width: 2, height: 2 });
      let pad = graph.label();
      const color = colorFilters(description.videoPreprocessors?.colorCorrector, stream);
      graph.chain([rawVideoPad()], `${before}${framing.filters}${color}`, [pad]);
      const images = description.videoPreprocessors?.imageInserter?.insertableImages;
      if (images) pad = overlayImages(graph, pad, images, request.imagePaths);
      return { pad: burnIn(context, output, framing, pad), framing };
    },
    audioPad: (description, path) => {
      const selected = selectAudio(input, description.audioSourceName, request.probe);
      const shared = selected && sound.get(selected.index);
      if (!selected || !shared) {
        context.warnings.push({
          code: WARNING_NO_AUDIO,
          message: `${path}: the input has no audio for this output`,
        });
        return undefined;
      }
      const pad = graph.label();
      const correction = request.loudness.get(correctionKey(description, selected));
      const { sampleRate } = description.codecSettings.aacSettings;
      const filters = `${soundFilters(outputLayout(description), correction)},aresample=${sampleRate}`;
      graph.chain([shared.take()], filters, [pad]);
      return { pad, stream: selected };
    },
  };
  return context;
}

function burnIn(context: BuildContext, output: Output, framing: Framing, pad: string): string {
  const caption = output.captionDescriptions?.find(
    (candidate) => candidate.destinationSettings.destinationType === 'BURN_IN',
  );
  if (caption?.destinationSettings.destinationType !== 'BURN_IN') return pad;
  const cues = context.request.captions.get(caption.captionSelectorName) ?? [];
  const name = `burn-in-${context.files.length}.ass`;
  const style = caption.destinationSettings.burninDestinationSettings ?? {};
  context.files.push({ name, text: writeAss(cues, style, framing.width, framing.height) });
  const drawn = context.graph.label();
  context.graph.chain([pad], `subtitles=f=${name}:fontsdir=fonts`, [drawn]);
  return drawn;
}

function watermarked(graph: Graph, pad: string, input: Input, request: PlanRequest): string {
  const images = input.imageInserter?.insertableImages;
  if (!images) return pad;
  const padded = graph.label();
  // The overlay filter forgets how long the last frame lasts, and the frame rate filters that follow would drop it.
  graph.chain([overlayImages(graph, pad, images, request.imagePaths)], 'tpad=stop=1', [padded]);
  return padded;
}

function usedAudio(input: Input, outputs: readonly Output[], request: PlanRequest): number[] {
  const used = new Set<number>();
  for (const description of outputs.flatMap((output) => output.audioDescriptions ?? [])) {
    const stream = selectAudio(input, description.audioSourceName, request.probe);
    if (stream) used.add(stream.index);
  }
  return [...used];
}

function firstFrameRate(groups: readonly PlannedGroup[]): number | undefined {
  const [first] = groups;
  const track =
    first?.type === 'CMAF_GROUP' ? first.tracks.find((candidate) => candidate.kind === 'video') : undefined;
  return track && track.frameRate.numerator / track.frameRate.denominator;
}

function totalSeconds(clips: readonly ClipRange[] | undefined): number | undefined {
  return clips?.reduce((sum, clip) => sum + clip.endSeconds - clip.startSeconds, 0);
}
