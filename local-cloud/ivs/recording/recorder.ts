import type { Segment } from '../live/packager.ts';

/** Takes the segments of one broadcast for its recording. */
export type Recorder = {
  add(rendition: number, segment: Segment, path: string, initPath: string): void;
  /** The broadcast is over. Resolves when everything is in S3, or given up. */
  end(): Promise<void>;
};
