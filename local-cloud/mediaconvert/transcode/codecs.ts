import type {
  AudioDescription,
  FrameCaptureSettings,
  GifSettings,
  H264Settings,
} from '../settings/create-job.ts';

type AacSettings = AudioDescription['codecSettings']['aacSettings'];

export type Rational = { numerator: number; denominator: number };

const FALLBACK_RATE: Rational = { numerator: 30, denominator: 1 };
const MAX_FRAMES_PER_SECOND = 120;
const DEFAULT_GOP_SECONDS = 2;
const DEFAULT_QVBR_LEVEL = 7;

/** Output frame rate. Sources without a believable rate (some browser recordings claim 1,000) get 30. */
export function frameRateFor(
  h264: Pick<GifSettings, 'framerateControl' | 'framerateNumerator' | 'framerateDenominator'>,
  source: Rational | undefined,
): Rational {
  if (h264.framerateControl === 'SPECIFIED' && h264.framerateNumerator && h264.framerateDenominator) {
    return { numerator: h264.framerateNumerator, denominator: h264.framerateDenominator };
  }
  if (!source || source.numerator / source.denominator > MAX_FRAMES_PER_SECOND) return FALLBACK_RATE;
  return source;
}

/**
 * libx264 options for one stream. `stream` is ffmpeg's stream specifier (`v:0`); `exactSegmentSeconds` adds a key
 * frame at every segment boundary that the GOP length would miss.
 */
export function h264Args(
  h264: H264Settings,
  stream: string,
  rate: Rational,
  preset: string,
  exactSegmentSeconds: number | undefined,
): string[] {
  const gop = gopFor(h264, rate, exactSegmentSeconds);
  return [
    `-c:${stream}`,
    'libx264',
    `-preset:${stream}`,
    preset,
    `-pix_fmt:${stream}`,
    'yuv420p',
    ...rateControlArgs(h264, stream),
    `-g:${stream}`,
    String(gop.maxFrames),
    `-sc_threshold:${stream}`,
    '0',
    `-force_key_frames:${stream}`,
    `expr:${gop.expression}`,
    ...(h264.codecProfile ? [`-profile:${stream}`, h264.codecProfile.toLowerCase()] : []),
    ...(h264.codecLevel && h264.codecLevel !== 'AUTO'
      ? [`-level:${stream}`, levelNumber(h264.codecLevel)]
      : []),
    ...(h264.entropyEncoding ? [`-coder:${stream}`, h264.entropyEncoding === 'CABAC' ? 'ac' : 'vlc'] : []),
    ...optional(`-bf:${stream}`, h264.numberBFramesBetweenReferenceFrames),
    ...optional(`-refs:${stream}`, h264.numberReferenceFrames),
    ...optional(`-slices:${stream}`, h264.slices),
  ];
}

/** Time between two key frames. */
export function gopSecondsOf(h264: H264Settings, rate: Rational): number {
  if (h264.gopSizeUnits === 'AUTO' || h264.gopSize === undefined) return DEFAULT_GOP_SECONDS;
  if (h264.gopSizeUnits === 'SECONDS') return h264.gopSize;
  return (h264.gopSize * rate.denominator) / rate.numerator;
}

function gopFor(
  h264: H264Settings,
  rate: Rational,
  exactSegmentSeconds: number | undefined,
): { maxFrames: number; expression: string } {
  if (h264.gopSizeUnits === 'FRAMES' && h264.gopSize !== undefined) {
    return { maxFrames: h264.gopSize, expression: `eq(mod(n,${h264.gopSize}),0)` };
  }
  const seconds = gopSecondsOf(h264, rate);
  // Twice the GOP length, so that only the expression places key frames.
  const maxFrames = Math.max(1, Math.ceil((seconds * rate.numerator) / rate.denominator)) * 2;
  const needsBoundaries = exactSegmentSeconds !== undefined && exactSegmentSeconds % seconds !== 0;
  const expression = needsBoundaries
    ? `isnan(prev_forced_t)+gte(t,prev_forced_t+${seconds})+gt(floor(t/${exactSegmentSeconds}),floor(prev_forced_t/${exactSegmentSeconds}))`
    : `gte(t,n_forced*${seconds})`;
  return { maxFrames, expression };
}

function rateControlArgs(h264: H264Settings, stream: string): string[] {
  if (h264.rateControlMode === 'QVBR') {
    const peak = h264.maxBitrate ?? 0;
    const level =
      (h264.qvbrSettings?.qvbrQualityLevel ?? DEFAULT_QVBR_LEVEL) +
      (h264.qvbrSettings?.qvbrQualityLevelFineTune ?? 0);
    return [
      ...[`-crf:${stream}`, (40 - 2.2 * level).toFixed(1)],
      ...[`-maxrate:${stream}`, String(peak)],
      ...[`-bufsize:${stream}`, String(h264.hrdBufferSize || peak * 2)],
    ];
  }
  const target = h264.bitrate ?? 0;
  const peak = h264.rateControlMode === 'CBR' ? target : (h264.maxBitrate ?? Math.round(target * 1.5));
  return [
    ...[`-b:${stream}`, String(target)],
    ...[`-maxrate:${stream}`, String(peak)],
    ...[`-bufsize:${stream}`, String(h264.hrdBufferSize || peak * 2)],
  ];
}

/** Bitrate ceiling the settings promise, in bits per second. */
export function peakBitrate(h264: H264Settings): number {
  return h264.maxBitrate ?? h264.bitrate ?? 0;
}

function levelNumber(level: string): string {
  return level.slice('LEVEL_'.length).replace('_', '.');
}

const CHANNELS: Record<AacSettings['codingMode'], number> = {
  CODING_MODE_1_0: 1,
  CODING_MODE_2_0: 2,
  CODING_MODE_5_1: 6,
};

/** AAC-LC options for one stream; `stream` is ffmpeg's stream specifier (`a:0`). */
export function aacArgs(aac: AacSettings, stream: string): string[] {
  return [
    ...[`-c:${stream}`, 'aac'],
    ...[`-b:${stream}`, String(aac.bitrate ?? 128_000)],
    ...[`-ar:${stream}`, String(aac.sampleRate)],
    ...[`-ac:${stream}`, String(CHANNELS[aac.codingMode])],
  ];
}

const LAYOUTS: Record<AacSettings['codingMode'], string> = {
  CODING_MODE_1_0: 'mono',
  CODING_MODE_2_0: 'stereo',
  CODING_MODE_5_1: '5.1',
};

/** ffmpeg's name of the channel layout that an output is encoded in. */
export function outputLayout(description: AudioDescription): string {
  return LAYOUTS[description.codecSettings.aacSettings.codingMode];
}

export type CapturePlan = { rate: Rational; count: number; jpegScale: number };

/**
 * Frame capture: the first frame, then one every `denominator/numerator` seconds, at most `maxCaptures`. `jpegScale`
 * is ffmpeg's 2 (best) to 31 scale for MediaConvert's quality 100 to 1.
 */
export function capturePlan(settings: FrameCaptureSettings, durationSeconds: number): CapturePlan {
  const rate = {
    numerator: settings.framerateNumerator ?? 1,
    denominator: settings.framerateDenominator ?? 1,
  };
  const available = Math.max(1, Math.ceil((durationSeconds * rate.numerator) / rate.denominator - 1e-6));
  return {
    rate,
    count: Math.min(settings.maxCaptures ?? 10_000_000, available),
    jpegScale: Math.round(31 - ((settings.quality ?? 80) * 29) / 100),
  };
}

function optional(name: string, value: number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)];
}
