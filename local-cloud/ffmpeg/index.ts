export { FfmpegError, lastErrorLine } from './errors.ts';
export { FONT_FAMILY, fontsDir } from './fonts.ts';
export { IMAGE_INPUT_GUARD, INPUT_GUARD } from './input-guard.ts';
export { killLeftover } from './leftovers.ts';
export { locateFfmpeg, wasmFfmpeg } from './locate.ts';
export { livingChildren } from './process.ts';
export type {
  AudioStream,
  DataStream,
  Ffmpeg,
  FfmpegProgress,
  FfmpegResult,
  FfmpegSource,
  MediaProbe,
  RunOptions,
  VideoStream,
} from './types.ts';
