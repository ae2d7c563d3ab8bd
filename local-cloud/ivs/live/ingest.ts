import { type FlvTag, flvHeader, flvTag } from '../rtmp/flv.ts';
import type { IngestConnection } from '../rtmp/session.ts';
import { IngestMeter } from './meter.ts';
import type { Transcoder } from './transcoder.ts';

/** Tags by which every encoder has said what it will send. */
const TAGS_TO_KNOW_SOUND = 30;
const TAGS_TO_KNOW_THERE_IS_NO_PICTURE = 100;
const MAX_TAGS_TO_KNOW = 2000;

/** Media of one connection: held back until it is known what it is, then passed to a transcoder. */
export class Ingest {
  readonly meter = new IngestMeter();
  readonly connection: IngestConnection;
  readonly priority: number;
  /** Media time from the first tag on. */
  mediaMs = 0;
  #firstMs: number | undefined;
  #held: FlvTag[] = [];
  #transcoder: Transcoder | undefined;

  constructor(connection: IngestConnection, priority: number) {
    this.connection = connection;
    this.priority = priority;
  }

  /**
   * Takes a tag in.
   * @returns whether enough is known to begin, as long as it has not begun
   * @throws Error for a stream of which nothing can be made
   */
  add(tag: FlvTag): boolean {
    this.meter.add(tag);
    this.#firstMs ??= tag.timestampMs;
    this.mediaMs = Math.max(this.mediaMs, tag.timestampMs - this.#firstMs);
    if (this.#transcoder) {
      this.#pass(flvTag(tag));
      return false;
    }
    this.#held.push(tag);
    if (this.#held.length > MAX_TAGS_TO_KNOW) throw new Error('the stream never says what it is');
    const { isKnown, hasAudio, hasVideo } = this.meter;
    return (
      (isKnown && (hasAudio || this.#held.length >= TAGS_TO_KNOW_SOUND)) ||
      (hasAudio && !hasVideo && this.#held.length >= TAGS_TO_KNOW_THERE_IS_NO_PICTURE)
    );
  }

  /** Passes on what was held back, and all that comes. */
  begin(transcoder: Transcoder): void {
    this.#transcoder = transcoder;
    transcoder.onDrain(() => this.connection.resume());
    const tracks = { audio: this.meter.hasAudio, video: this.meter.hasVideo };
    this.#pass(Buffer.concat([flvHeader(tracks), ...this.#held.map(flvTag)]));
    this.#held = [];
  }

  #pass(bytes: Buffer): void {
    if (this.#transcoder?.write(bytes) === false) this.connection.pause();
  }
}
