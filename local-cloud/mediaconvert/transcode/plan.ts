import type { MediaProbe, VideoStream } from '../../ffmpeg/index.ts';
import type { Cue } from '../captions/cues.ts';
import type { CaptionDescription, CmafGroupSettings, JobSettings } from '../settings/create-job.ts';
import type { Rational } from './codecs.ts';
import type { LoudnessCorrections } from './loudness.ts';
import type { Target } from './target.ts';

/** Everything a plan is made from; nothing here touches a disk. */
export type PlanRequest = {
  settings: JobSettings;
  inputPath: string;
  probe: MediaProbe;
  /** Watermark files by their `s3://` address. */
  imagePaths: ReadonlyMap<string, string>;
  /** Cues by caption selector name, on the output's time line. */
  captions: ReadonlyMap<string, Cue[]>;
  loudness: LoudnessCorrections;
  /** x264 preset, such as `ultrafast`. */
  preset: string;
};

/** One ffmpeg run that makes every output of a job, and what to expect of it. */
export type Plan = {
  args: string[];
  /** Directories, relative to the working directory, that must exist before the run. */
  directories: string[];
  /** Text files to write into the working directory before the run. */
  files: { name: string; text: string }[];
  /** Burn-in needs the fonts linked as `fonts` in the working directory. */
  needsFonts: boolean;
  durationSeconds: number;
  /** Rate of the first video track, which ffmpeg counts frames of. */
  framesPerSecond: number | undefined;
  groups: PlannedGroup[];
  warnings: PlanWarning[];
};

export type PlanWarning = { code: number; message: string };

export type PlannedGroup = PlannedCmafGroup | PlannedFileGroup;

export type PlannedCmafGroup = {
  type: 'CMAF_GROUP';
  target: Target;
  directory: string;
  settings: CmafGroupSettings;
  tracks: PlannedTrack[];
  subtitles: PlannedSubtitles[];
  /** Sets of trick-play pictures, each with a playlist of its own. */
  trickPlays: PlannedTrickPlay[];
};

export type PlannedTrack = PlannedVideoTrack | PlannedAudioTrack;

export type PlannedVideoTrack = {
  kind: 'video';
  /** Position among the group's encoded streams. */
  stream: number;
  nameModifier: string;
  width: number;
  height: number;
  frameRate: Rational;
  /** Ceiling from the settings, in bits per second. */
  maxBitrate: number;
  audioGroup: string | undefined;
  /** A playlist of its key frames alone is wanted too. */
  iFramePlaylist: boolean;
};

export type PlannedAudioTrack = {
  kind: 'audio';
  stream: number;
  nameModifier: string;
  channels: number;
  /** BCP 47 tag, when known. */
  language: string | undefined;
  name: string;
  group: string | undefined;
  isDefault: boolean;
  autoSelect: boolean;
};

export type PlannedSubtitles = {
  nameModifier: string;
  cues: Cue[];
  language: string | undefined;
  name: string;
  accessibility: boolean;
};

export type PlannedTrickPlay = {
  /** Part of the file names after the group's base name: `_tiles`. */
  suffix: string;
  filePrefix: string;
  intervalSeconds: number;
  width: number;
  height: number;
  columns: number;
  rows: number;
  thumbnails: number;
};

export type PlannedFileGroup = { type: 'FILE_GROUP'; target: Target; outputs: PlannedFile[] };

export type PlannedFile = PlannedMovie | PlannedCaptures;

export type PlannedMovie = {
  kind: 'movie';
  file: string;
  nameModifier: string;
  extension: string;
  contentType: 'video/mp4' | 'audio/mp4' | 'image/gif';
  video: { width: number; height: number } | undefined;
};

export type PlannedCaptures = {
  kind: 'captures';
  directory: string;
  nameModifier: string;
  extension: string;
  width: number;
  height: number;
};

/** Codes of warnings that a finished job can carry. They are the local cloud's own, not from MediaConvert's table. */
export const WARNING_NO_AUDIO = 900_001;
export const WARNING_SHORTER_THAN_INPUT = 900_002;
export const WARNING_NO_CAPTIONS = 900_003;

/** Picture size as a viewer sees it: after the sample aspect ratio and any rotation that will be applied. */
export function displaySize(video: VideoStream, rotatedDegrees: number): { width: number; height: number } {
  const { numerator, denominator } = video.sampleAspect;
  const width = Math.round((video.width * numerator) / denominator);
  return rotatedDegrees % 180 === 0
    ? { width, height: video.height }
    : { width: video.height, height: width };
}

/** BCP 47 tag of a MediaConvert or ISO 639-2 language code; undefined for "undetermined" and nonsense. */
export function languageTag(code: string | undefined): string | undefined {
  if (code === undefined || code.toUpperCase() === 'UND') return undefined;
  try {
    return Intl.getCanonicalLocales(code.toLowerCase())[0];
  } catch {
    return undefined;
  }
}

export function captionLanguage(caption: CaptionDescription): string | undefined {
  return languageTag(caption.customLanguageCode ?? caption.languageCode);
}
