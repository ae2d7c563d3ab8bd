import type { AudioStream, Ffmpeg, MediaProbe } from '../../ffmpeg/index.ts';
import type { ClipRange } from '../captions/cues.ts';
import type { AudioDescription, Input, OutputGroup } from '../settings/create-job.ts';
import { outputLayout } from './codecs.ts';
import { createGraph } from './graph.ts';
import { buildSources, selectAudio } from './sources.ts';

/** How an output's sound is brought to its loudness: a gain, and a limit for true peaks when the gain would break it. */
export type LoudnessCorrection = { gainDb: number; limitDb: number | undefined };

/** Corrections by `correctionKey`. A sound that has none is left as it is. */
export type LoudnessCorrections = ReadonlyMap<string, LoudnessCorrection>;

type Loudness = { integratedLkfs: number; truePeakDb: number };

const DEFAULT_TARGET_LKFS = -23;
/** BS.1770 counts nothing below this. */
const SILENCE_LKFS = -70;
const GOOD_ENOUGH_DB = 0.3;
const MAX_REFINEMENTS = 4;

export function correctionKey(description: AudioDescription, stream: AudioStream): string {
  const settings = description.audioNormalizationSettings;
  return JSON.stringify([
    stream.index,
    outputLayout(description),
    settings?.targetLkfs,
    settings?.truePeakLimiterThreshold,
  ]);
}

/**
 * Measures, by ITU-R BS.1770-4, every sound that outputs want corrected, as it will be encoded, and works out the gain. A
 * peak limiter takes some loudness away, so where one is needed the limited sound is measured again and the gain refined.
 * @throws FfmpegError when the sound cannot be decoded.
 */
export async function measureCorrections(request: {
  ffmpeg: Ffmpeg;
  groups: readonly OutputGroup[];
  input: Input;
  inputPath: string;
  probe: MediaProbe;
  clips: readonly ClipRange[] | undefined;
  workDirectory: string;
  signal: AbortSignal;
  onProgress: () => void;
}): Promise<LoudnessCorrections> {
  const corrections = new Map<string, LoudnessCorrection>();
  const descriptions = request.groups
    .flatMap((group) => group.outputs)
    .flatMap((output) => output.audioDescriptions ?? []);
  for (const description of descriptions) {
    const settings = description.audioNormalizationSettings;
    const stream = selectAudio(request.input, description.audioSourceName, request.probe);
    if (!settings || settings.algorithmControl === 'MEASURE_ONLY' || !stream) continue;
    const key = correctionKey(description, stream);
    if (corrections.has(key)) continue;
    const measure = (correction: LoudnessCorrection | undefined): Promise<Loudness | undefined> =>
      measureOnce(request, stream, outputLayout(description), correction);
    const correction = await correctionFor(settings, measure);
    if (correction) corrections.set(key, correction);
  }
  return corrections;
}

async function correctionFor(
  settings: NonNullable<AudioDescription['audioNormalizationSettings']>,
  measure: (correction: LoudnessCorrection | undefined) => Promise<Loudness | undefined>,
): Promise<LoudnessCorrection | undefined> {
  const source = await measure(undefined);
  const gate = settings.correctionGateLevel ?? SILENCE_LKFS;
  if (!source || source.integratedLkfs <= gate) return undefined;
  const target = settings.targetLkfs ?? DEFAULT_TARGET_LKFS;
  const limitDb = settings.truePeakLimiterThreshold ?? 0;
  let gainDb = target - source.integratedLkfs;
  if (source.truePeakDb + gainDb <= limitDb) return { gainDb, limitDb: undefined };
  for (let round = 0; round < MAX_REFINEMENTS; round += 1) {
    const corrected = await measure({ gainDb, limitDb });
    const missingDb = corrected ? target - corrected.integratedLkfs : 0;
    if (Math.abs(missingDb) < GOOD_ENOUGH_DB) break;
    gainDb += missingDb;
  }
  return { gainDb, limitDb };
}

async function measureOnce(
  request: Parameters<typeof measureCorrections>[0],
  stream: AudioStream,
  layout: string,
  correction: LoudnessCorrection | undefined,
): Promise<Loudness | undefined> {
  const graph = createGraph();
  const sources = buildSources(
    graph,
    request.input,
    request.inputPath,
    undefined,
    [stream.index],
    request.clips,
  );
  const pad = graph.label();
  graph.chain(
    [sources.audio.get(stream.index) ?? `0:${stream.index}`],
    `${soundFilters(layout, correction)},aresample=48000,ebur128=peak=true:framelog=verbose`,
    [pad],
  );
  const { stderrTail } = await request.ffmpeg.run(
    [...graph.inputArgs(), '-filter_complex', graph.filterGraph(), '-map', `[${pad}]`, '-f', 'null', '-'],
    { cwd: request.workDirectory, signal: request.signal, onProgress: request.onProgress },
  );
  const integrated = /\bI:\s+(-?[\d.]+) LUFS/.exec(stderrTail);
  const peak = /\bPeak:\s+(-?[\d.]+|-inf) dBFS/.exec(stderrTail);
  if (!integrated) return undefined;
  return {
    integratedLkfs: Number(integrated[1]),
    truePeakDb: peak?.[1] === '-inf' ? -120 : Number(peak?.[1] ?? 0),
  };
}

/**
 * Filters that every sound passes, measured or encoded: `aresample` starts the track at zero and fills gaps with silence,
 * then comes the mix to the output's channels. The limiter works at 192 kHz, where the peaks between samples show.
 */
export function soundFilters(layout: string, correction: LoudnessCorrection | undefined): string {
  const filters = ['aresample=async=1:first_pts=0', `aformat=channel_layouts=${layout}`];
  if (correction && correction.limitDb === undefined)
    filters.push(`volume=${correction.gainDb.toFixed(2)}dB`);
  if (correction?.limitDb !== undefined) {
    filters.push(
      `aresample=192000,volume=${correction.gainDb.toFixed(2)}dB`,
      `alimiter=level=disabled:limit=${(10 ** (correction.limitDb / 20)).toFixed(6)}:attack=5:release=50`,
    );
  }
  return filters.join(',');
}
