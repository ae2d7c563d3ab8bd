import type { Ffmpeg } from '../../ffmpeg/index.ts';
import type { Segment } from '../live/packager.ts';
import type { Recording } from './recording.ts';
import { makeThumbnail } from './thumbnails.ts';

/** Takes the segments of one broadcast for its recording. */
export type Recorder = {
  add(rendition: number, segment: Segment, path: string, initPath: string): void;
  /** The broadcast is over. Resolves when everything it had is in S3, or given up. */
  end(): Promise<void>;
};

export type RecorderOptions = {
  recording: Recording;
  ffmpeg: Ffmpeg;
  /** It goes on after a pause: what comes first does not continue what is there. */
  resumes: boolean;
  /** The first segment came in, and the start was written. */
  onStart: () => void;
  onFailure: (error: unknown) => void;
  onNoThumbnail: (error: unknown) => void;
  onEnd: () => Promise<void>;
};

/** Playlists are written every so many segments: players may use them while the recording goes on. */
const SEGMENTS_PER_PLAYLIST = 15;

type Added = {
  rendition: number;
  init: number;
  durationSeconds: number;
  discontinuity: boolean;
  beganAtMs: number;
  path: string;
  initPath: string;
};

export function createRecorder(options: RecorderOptions): Recorder {
  const { recording } = options;
  const { state } = recording;
  const isRecorded = new Set(state.recorded);
  /** Which of its own initialization segments this broadcast stored, by rendition, and under which number. */
  const inits = new Map<string, number>();
  const first = new Set(state.offered.map((_, index) => index));
  let started = options.resumes;
  let work: Promise<void> = Promise.resolve();

  async function store(added: Added): Promise<void> {
    if (state.failure !== undefined) return;
    if (!started) {
      started = true;
      await recording.putStarted();
      options.onStart();
    }
    const { rendition } = added;
    if (isRecorded.has(rendition)) await storeSegment(added);
    if (rendition === 0) state.durationMs += Math.round(added.durationSeconds * 1000);
    // A recording without one of its stills is good all the same.
    if (rendition === state.thumbnailsOf) await storeThumbnails(added).catch(options.onNoThumbnail);
    recording.save();
  }

  async function storeSegment(added: Added): Promise<void> {
    const { rendition, durationSeconds } = added;
    const name = state.offered[rendition]?.name ?? '';
    const key = `${rendition}/${added.init}`;
    let init = inits.get(key);
    if (init === undefined) {
      init = state.inits[rendition] ?? 0;
      await recording.put(`media/hls/${name}/init-${init}.mp4`, added.initPath, 'video/mp4');
      state.inits[rendition] = init + 1;
      inits.set(key, init);
    }
    const number = state.counts[rendition] ?? 0;
    await recording.put(`media/hls/${name}/${number}.mp4`, added.path, 'video/mp4');
    const begins = first.delete(rendition);
    recording.note({
      rendition,
      number,
      init,
      durationSeconds,
      discontinuity: number > 0 && (added.discontinuity || begins),
      atMs: added.beganAtMs,
    });
    state.counts[rendition] = number + 1;
    if (rendition === state.recorded.at(-1) && number % SEGMENTS_PER_PLAYLIST === 0)
      await recording.putPlaylists(false);
  }

  /** Every one that falls into this segment. */
  async function storeThumbnails(added: Added): Promise<void> {
    const { recordingMode, storage, targetIntervalSeconds } = state.configuration.thumbnails;
    if (recordingMode === 'DISABLED' || (state.offered[state.thumbnailsOf]?.height ?? 0) === 0) return;
    const segmentMs = added.durationSeconds * 1000;
    for (; state.nextThumbnailMs < segmentMs; state.nextThumbnailMs += targetIntervalSeconds * 1000) {
      const seconds = state.nextThumbnailMs / 1000;
      const path = await makeThumbnail(options.ffmpeg, recording.directory, added, seconds);
      if (storage.includes('SEQUENTIAL'))
        await recording.put(`media/thumbnails/thumb${state.thumbnails}.jpg`, path, 'image/jpeg');
      if (storage.includes('LATEST'))
        await recording.put('media/latest_thumbnail/thumb.jpg', path, 'image/jpeg');
      state.thumbnails += 1;
    }
    state.nextThumbnailMs = Math.max(0, state.nextThumbnailMs - segmentMs);
  }

  return {
    add(rendition, { init, durationSeconds, discontinuity, beganAtMs }, path, initPath) {
      const added = { rendition, init, durationSeconds, discontinuity, beganAtMs, path, initPath };
      work = work.then(() => store(added)).catch((error: unknown) => options.onFailure(error));
    },
    async end() {
      await work;
      await options.onEnd();
    },
  };
}
