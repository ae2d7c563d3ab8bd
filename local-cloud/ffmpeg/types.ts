/** Where an ffmpeg came from, in the order they are tried. */
export type FfmpegSource = 'env' | 'path' | 'npm' | 'wasm';

/** One reading of ffmpeg's `-progress` report. */
export type FfmpegProgress = {
  /** Media time written so far. */
  outTimeSeconds: number;
  frames: number;
  /** True for the last report of a run. */
  done: boolean;
};

export type RunOptions = {
  /** Directory that relative file names in `args` refer to. */
  cwd: string;
  onProgress?: (progress: FfmpegProgress) => void;
  /** Aborting kills the process; `run` then rejects with `signal.reason`. */
  signal?: AbortSignal;
  /** Note the process in this file, for `killLeftover` of a later run. */
  noteFile?: string;
  /** Kill the process after this long without a sign of life. Default 120,000 ms. */
  stallTimeoutMs?: number;
};

export type FfmpegResult = {
  /** Last 16 kB of what ffmpeg wrote to stderr. */
  stderrTail: string;
};

export type VideoStream = {
  kind: 'video';
  /** Stream index in the file, from 0. */
  index: number;
  /** ffmpeg's codec name, such as `h264`. */
  codec: string;
  profile: string | undefined;
  pixelFormat: string | undefined;
  /** Coded size, before rotation. */
  width: number;
  height: number;
  /** Sample aspect ratio; 1:1 when the file does not say. */
  sampleAspect: { numerator: number; denominator: number };
  /** Clockwise turn a player has to make. */
  rotationDegrees: 0 | 90 | 180 | 270;
  /** Undefined when the file has no nominal rate. */
  framesPerSecond: { numerator: number; denominator: number } | undefined;
  bitrate: number | undefined;
  interlaced: boolean;
  /** `high` for PQ (HDR10) and HLG transfer characteristics. */
  dynamicRange: 'standard' | 'high';
  /** As ffmpeg names them; undefined where the file does not say. */
  colors: { matrix: string | undefined; primaries: string | undefined; transfer: string | undefined };
};

export type AudioStream = {
  kind: 'audio';
  index: number;
  codec: string;
  profile: string | undefined;
  sampleRate: number;
  channels: number;
  channelLayout: string;
  /** ISO 639-2 code when the file carries one. */
  language: string | undefined;
  bitrate: number | undefined;
};

export type DataStream = { kind: 'data'; index: number; codec: string; language: string | undefined };

export type MediaProbe = {
  /** ffmpeg's demuxer name, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  container: string;
  /** ISO BMFF major brand, when there is one. */
  majorBrand: string | undefined;
  durationSeconds: number;
  bitrate: number | undefined;
  streams: (VideoStream | AudioStream | DataStream)[];
};

export type Ffmpeg = {
  readonly source: FfmpegSource;
  /** What is executed, for log lines. */
  readonly command: string;
  readonly version: string;
  /** For people: version and where it came from. */
  readonly description: string;
  /**
   * Runs ffmpeg to its end.
   * @throws FfmpegError when it exits with a failure or stalls; `signal.reason` when aborted.
   */
  run(args: readonly string[], options: RunOptions): Promise<FfmpegResult>;
  /**
   * Reads a file's container, duration and streams. Only real media containers are opened: playlists, image
   * sequences and concat scripts, which could name other files, are refused.
   * @throws FfmpegError when ffmpeg cannot read the file as media.
   */
  probe(file: string, options?: { signal?: AbortSignal }): Promise<MediaProbe>;
};
