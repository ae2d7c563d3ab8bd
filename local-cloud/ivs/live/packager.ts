import { mkdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fragment } from './fragments.ts';

export type Part = { readonly data: Buffer; readonly durationSeconds: number; readonly independent: boolean };

export type Segment = {
  /** Media sequence number. */
  readonly number: number;
  /** Which initialization segment it needs. */
  readonly init: number;
  /** It does not continue what came before it. */
  readonly discontinuity: boolean;
  readonly beganAtMs: number;
  durationSeconds: number;
  /** Empty once nobody should ask for parts any more. */
  parts: Part[];
  complete: boolean;
};

export type PackagerOptions = {
  /** Segments are written here. */
  directory: string;
  /** Segments are cut at the first key frame after this. */
  segmentSeconds: number;
  /** What segments are at least said to last at most: room for an encoder whose key frames come irregularly. */
  targetSeconds: number;
  dvrWindowSeconds: number;
  now: () => number;
  onSegment: (segment: Segment, path: string, initPath: string) => void;
  onFailure: (error: unknown) => void;
};

/** A segment is cut without a key frame rather than to become longer. */
const MAX_SEGMENT_SECONDS = 10;
/** Complete segments whose parts can still be asked for; a player that joins needs three target durations of them. */
const SEGMENTS_WITH_PARTS = 4;
const MAX_DRIFT_MS = 5000;
/** Bounds of what parts may be said to last at most; ffmpeg makes them of 300 ms and one frame. */
const MIN_PART_TARGET_SECONDS = 0.35;
const MAX_PART_TARGET_SECONDS = 0.6;

/** The media of one rendition: cuts fragments into segments, keeps a window of them and tells who waits for more. */
export class Packager {
  readonly segments: Segment[] = [];
  readonly inits: Buffer[] = [];
  /** Nothing will be added any more. */
  ended = false;
  discontinuitiesBefore = 0;
  #targetSeconds: number | undefined;
  #partTargetSeconds = MIN_PART_TARGET_SECONDS;
  #next = 0;
  #discontinuity = false;
  #writing: Promise<unknown> = Promise.resolve();
  readonly #waiting = new Set<() => void>();
  readonly #options: PackagerOptions;

  constructor(options: PackagerOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
  }

  /** Upper bound of a segment, in whole seconds; undefined until the first segment is complete. */
  get targetSeconds(): number | undefined {
    return this.#targetSeconds;
  }

  get partTargetSeconds(): number {
    return this.#partTargetSeconds;
  }

  path(number: number): string {
    return join(this.#options.directory, `${number}.mp4`);
  }

  initPath(init: number): string {
    return join(this.#options.directory, `init-${init}.mp4`);
  }

  /** The stream goes on from another encoder or another process. */
  addInit(init: Buffer): void {
    this.#completeCurrent();
    this.#discontinuity = this.inits.length > 0;
    this.inits.push(init);
    this.#write(this.initPath(this.inits.length - 1), init);
  }

  addFragment(fragment: Fragment): void {
    if (this.inits.length === 0 || this.ended) return;
    const current = this.#current();
    const longest = this.#targetSeconds ?? MAX_SEGMENT_SECONDS;
    if (
      current &&
      ((fragment.independent && current.durationSeconds >= this.#options.segmentSeconds - 0.1) ||
        current.durationSeconds + fragment.durationSeconds > longest + 0.49)
    )
      this.#completeCurrent();
    const segment = this.#current() ?? this.#begin();
    segment.parts.push(fragment);
    segment.durationSeconds += fragment.durationSeconds;
    // Settled before the first playlist is made, and never changed after it.
    if (this.#targetSeconds === undefined && fragment.durationSeconds <= MAX_PART_TARGET_SECONDS)
      this.#partTargetSeconds = Math.max(this.#partTargetSeconds, fragment.durationSeconds);
    this.#wake();
  }

  end(): void {
    if (this.ended) return;
    this.#completeCurrent();
    this.ended = true;
    this.#wake();
  }

  /** Forgets everything, on disk too, after what is still being written. */
  async remove(): Promise<void> {
    await this.#writing;
    this.segments.length = 0;
    rmSync(this.#options.directory, { recursive: true, force: true });
  }

  /** Resolves when everything that is complete is on disk and was told. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  /** Resolves with true as soon as `condition` holds, with false when it does not in time or cannot any more. */
  async wait(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    if (condition()) return true;
    return new Promise((resolve) => {
      const settle = (value: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(value);
      };
      const look = (): void => {
        if (condition()) settle(true);
        else if (this.ended) settle(false);
      };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }

  #current(): Segment | undefined {
    const last = this.segments.at(-1);
    return last?.complete === false ? last : undefined;
  }

  #begin(): Segment {
    const segment: Segment = {
      number: this.#next,
      init: this.inits.length - 1,
      discontinuity: this.#discontinuity,
      beganAtMs: this.#beginning(),
      durationSeconds: 0,
      parts: [],
      complete: false,
    };
    this.#discontinuity = false;
    this.#next += 1;
    this.segments.push(segment);
    return segment;
  }

  /** When the next segment begins on the clock of the wall: after the last one, unless the stream stood still. */
  #beginning(): number {
    const nowMs = this.#options.now();
    const last = this.segments.at(-1);
    const expectedMs = last ? last.beganAtMs + last.durationSeconds * 1000 : nowMs;
    return Math.abs(nowMs - expectedMs) > MAX_DRIFT_MS ? nowMs : Math.round(expectedMs);
  }

  #completeCurrent(): void {
    const segment = this.#current();
    if (!segment) return;
    segment.complete = true;
    this.#targetSeconds ??= Math.max(this.#options.targetSeconds, Math.ceil(segment.durationSeconds - 0.49));
    const path = this.path(segment.number);
    const whole = Buffer.concat(segment.parts.map(({ data }) => data));
    this.#write(path, whole, () => this.#options.onSegment(segment, path, this.initPath(segment.init)));
    const old = this.segments.at(-1 - SEGMENTS_WITH_PARTS);
    if (old) old.parts = [];
    this.#trim();
    this.#wake();
  }

  #trim(): void {
    let seconds = this.segments.reduce((sum, { durationSeconds }) => sum + durationSeconds, 0);
    while (this.segments.length > SEGMENTS_WITH_PARTS + 1) {
      const first = this.segments[0];
      if (!first || seconds - first.durationSeconds < this.#options.dvrWindowSeconds) return;
      this.segments.shift();
      seconds -= first.durationSeconds;
      if (this.segments[0]?.discontinuity) this.discontinuitiesBefore += 1;
      this.#writing = this.#writing.then(() => rmSync(this.path(first.number), { force: true }));
    }
  }

  #write(path: string, data: Buffer, then: () => void = () => {}): void {
    this.#writing = this.#writing
      .then(() => writeFile(path, data))
      .then(then)
      .catch((error: unknown) => this.#options.onFailure(error));
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
