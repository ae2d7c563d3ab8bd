import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { multivariantPlaylist } from '../playback/playlists.ts';
import type { RecordingStore } from '../ports.ts';
import type { RecordingConfiguration } from '../resources.ts';
import {
  type Metadata,
  metadataFile,
  type RecordedRendition,
  type RecordedSegment,
  recordingPlaylist,
} from './layout.ts';

/** What is kept of a recording beside its segments, so that it can be ended after a restart. */
export type RecordingState = {
  readonly id: string;
  readonly channelArn: string;
  /** Session that is recorded, or was last. */
  sessionArn: string;
  streamIds: string[];
  readonly configuration: RecordingConfiguration;
  readonly prefix: string;
  readonly startedAtMs: number;
  /** All renditions of the stream. */
  readonly offered: readonly RecordedRendition[];
  /** Those of them that are recorded. */
  readonly recorded: readonly number[];
  readonly thumbnailsOf: number;
  /** Initialization segments stored so far, by rendition. */
  inits: number[];
  /** Segments stored so far, by rendition. */
  counts: number[];
  durationMs: number;
  thumbnails: number;
  nextThumbnailMs: number;
  /** Set while no encoder is connected: when it ends for good. */
  closesAtMs?: number;
  failure?: string;
};

const PLAYLIST = 'application/x-mpegURL';

/** One recording in S3, and what is known of it on disk. */
export class Recording {
  readonly state: RecordingState;
  readonly directory: string;
  readonly #objects: RecordingStore;

  constructor(root: string, state: RecordingState, objects: RecordingStore) {
    this.state = state;
    this.directory = join(root, state.id);
    this.#objects = objects;
    mkdirSync(this.directory, { recursive: true });
  }

  /** Undefined when what is on disk is no recording. */
  static load(root: string, id: string, objects: RecordingStore): Recording | undefined {
    try {
      const state = JSON.parse(readFileSync(join(root, id, 'state.json'), 'utf8'));
      const recording = new Recording(root, state, objects);
      recording.#recount();
      return recording;
    } catch {
      return undefined;
    }
  }

  save(): void {
    const path = join(this.directory, 'state.json');
    writeFileSync(`${path}.tmp`, JSON.stringify(this.state));
    renameSync(`${path}.tmp`, path);
  }

  /** Notes a stored segment: in a file, so that a long recording takes no memory. */
  note(segment: RecordedSegment): void {
    appendFileSync(join(this.directory, 'segments'), `${JSON.stringify(segment)}\n`);
  }

  get metadata(): Metadata {
    const { channelArn, startedAtMs, offered, recorded, configuration, thumbnailsOf } = this.state;
    const { recordingMode, storage } = configuration.thumbnails;
    const isMade = recordingMode === 'INTERVAL';
    const picture = offered[thumbnailsOf];
    return {
      channelArn,
      startedAtMs,
      renditions: recorded.flatMap((index) => offered[index] ?? []),
      thumbnail: isMade && picture ? { width: picture.width, height: picture.height } : undefined,
      latestThumbnail: isMade && storage.includes('LATEST'),
      sequentialThumbnails: isMade && storage.includes('SEQUENTIAL'),
    };
  }

  async put(name: string, path: string, contentType: string): Promise<void> {
    const { bucketName } = this.state.configuration;
    await this.#objects.putFile(bucketName, `${this.state.prefix}/${name}`, path, { contentType });
  }

  async putText(name: string, text: string, contentType = 'application/json'): Promise<void> {
    const path = join(this.directory, 'upload');
    writeFileSync(path, text);
    await this.put(name, path, contentType);
  }

  putStarted(): Promise<void> {
    return this.putText('events/recording-started.json', metadataFile(this.metadata, 'RECORDING_STARTED'));
  }

  /** Writes the playlists of what was stored until now. */
  async putPlaylists(ended: boolean): Promise<void> {
    const segments = this.#segments();
    for (const index of this.state.recorded) {
      const rendition = this.state.offered[index];
      const own = segments.filter((segment) => segment.rendition === index);
      if (rendition) {
        const name = `media/hls/${rendition.name}/playlist.m3u8`;
        await this.putText(name, recordingPlaylist(own, ended), PLAYLIST);
      }
    }
    const master = multivariantPlaylist(this.metadata.renditions, ({ name }) => `${name}/playlist.m3u8`);
    await this.putText('media/hls/master.m3u8', master, PLAYLIST);
  }

  /** Writes what tells that it is over. */
  async putEnded(atMs: number): Promise<void> {
    const { durationMs, failure } = this.state;
    const [name, status] = failure
      ? (['recording-failed', 'RECORDING_ENDED_WITH_FAILURE'] as const)
      : (['recording-ended', 'RECORDING_ENDED'] as const);
    const end = { atMs, durationMs, ...(failure && { message: failure }) };
    await this.putText(`events/${name}.json`, metadataFile(this.metadata, status, end));
  }

  /** Forgets it on this side. */
  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** A crash may have come between the note of a segment and its count, or in the middle of the note. */
  #recount(): void {
    const segments = this.#segments();
    for (const { rendition, number } of segments)
      this.state.counts[rendition] = Math.max(this.state.counts[rendition] ?? 0, number + 1);
    writeFileSync(
      join(this.directory, 'segments'),
      segments.map((segment) => `${JSON.stringify(segment)}\n`).join(''),
    );
  }

  #segments(): RecordedSegment[] {
    const path = join(this.directory, 'segments');
    if (!existsSync(path)) return [];
    // The last line may have been cut off by a crash.
    return readFileSync(path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }
}
