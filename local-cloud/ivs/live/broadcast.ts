import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Events } from '../events.ts';
import type { IvsOptions } from '../ports.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Channel, StreamSession } from '../resources.ts';
import type { Store } from '../store.ts';
import { metadataBox } from './emsg.ts';
import { FragmentReader } from './fragments.ts';
import { watchHealth } from './health.ts';
import type { Ingest } from './ingest.ts';
import { breachOf } from './limits.ts';
import { Packager } from './packager.ts';
import { type PlannedRendition, planRenditions } from './rendition.ts';
import { newSession } from './session.ts';
import { startTranscoder, type Transcoder } from './transcoder.ts';

const STATE = 'IVS Stream State Change';
/** Players stay three targets behind the edge of a stream that has no parts. */
const SECONDS = {
  LOW: { segmentSeconds: 2, targetSeconds: 6 },
  NORMAL: { segmentSeconds: 4, targetSeconds: 4 },
} as const;

export type Rendition = PlannedRendition & { readonly packager: Packager };

export type BroadcastDeps = {
  readonly options: IvsOptions;
  readonly store: Store;
  readonly events: Events;
  /** Makes a recorder for a broadcast of which the renditions are known, if it is to be recorded. */
  readonly record: (session: StreamSession, renditions: readonly PlannedRendition[]) => Recorder | undefined;
  readonly viewersOf: (broadcast: Broadcast) => number;
  /** It is over: nobody publishes, and everything was told. */
  readonly onEnd: (broadcast: Broadcast) => void;
};

/** One stream session of a channel, from the connection of its encoder to its end. */
export class Broadcast {
  readonly session: StreamSession;
  renditions: readonly Rendition[] = [];
  /** Resolves when it is over and its recording was handed over. */
  readonly done: Promise<void>;
  takeovers = 0;
  readonly #deps: BroadcastDeps;
  readonly #directory: string;
  #finish: () => void = () => {};
  #ingest: Ingest;
  #transcoder: Transcoder | undefined;
  #recorder: Recorder | undefined;
  #ended = false;
  /** Metadata that waits for the next part, of each rendition. */
  #metadata: { id: number; text: string }[][] = [];
  #metadataId = 0;
  readonly #watch;

  constructor(deps: BroadcastDeps, channel: Channel, ingest: Ingest) {
    this.#deps = deps;
    this.#ingest = ingest;
    const { store, options, events } = deps;
    this.session = newSession(store, channel, this.#now());
    this.#directory = join(options.dataDir, 'live', this.session.streamId);
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#watch = watchHealth(options.starvationMs ?? 3000, (starving) =>
      events.stream(
        this.session,
        'IVS Stream Health Change',
        starving ? 'Starvation Start' : 'Starvation End',
      ),
    );
    events.stream(this.session, STATE, 'Session Created');
  }

  get sessionArn(): string {
    return this.session.arn;
  }

  get health(): 'HEALTHY' | 'STARVING' | 'UNKNOWN' {
    return this.#watch.health;
  }

  viewerCount(): number {
    return this.#deps.viewersOf(this);
  }

  get ingest(): Ingest {
    return this.#ingest;
  }

  get transcoderPid(): number | undefined {
    return this.#transcoder?.pid;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Media of the present encoder came in. */
  fed(): void {
    this.#watch.fed();
    const breach = breachOf(this.session.channel, this.#ingest.meter, this.#ingest.mediaMs);
    if (!breach) return;
    this.#deps.events.stream(this.session, 'IVS Limit Breach', breach.name, breach.detail);
    this.end();
  }

  /** It is known what comes in: starts to transcode it. */
  begin(): void {
    const { meter } = this.#ingest;
    Object.assign(this.session, {
      ...(meter.video && { video: meter.video }),
      ...(meter.audio && { audio: meter.audio }),
    });
    this.#deps.store.save('stream-session', this.session);
    this.renditions = planRenditions(this.session.channel, meter.video, meter.audio, meter).map(
      (planned, index) => ({ ...planned, packager: this.#package(planned.info.name, index) }),
    );
    this.#metadata = this.renditions.map(() => []);
    this.#recorder = this.#deps.record(this.session, this.renditions);
    this.#transcode();
  }

  /** Another encoder goes on with the stream. Its media is of the same kind. */
  takeOver(ingest: Ingest): void {
    const former = this.#ingest;
    this.takeovers += 1;
    this.#ingest = ingest;
    former.connection.close();
    this.#deps.events.stream(this.session, STATE, 'Stream Takeover');
    this.#transcoder?.end();
    this.#transcode();
  }

  putMetadata(metadata: string): void {
    this.#metadataId += 1;
    for (const waiting of this.#metadata) waiting.push({ id: this.#metadataId, text: metadata });
  }

  /** Ends it. What came in until now still reaches viewers and the recording. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watch.stop();
    this.#ingest.connection.close();
    if (this.#transcoder) this.#transcoder.end();
    else this.#close();
  }

  /** Removes the live window. */
  async remove(): Promise<void> {
    await Promise.all(this.renditions.map(({ packager }) => packager.remove()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #now(): number {
    return (this.#deps.options.now?.() ?? new Date()).getTime();
  }

  #package(name: string, index: number): Packager {
    return new Packager({
      directory: join(this.#directory, name),
      ...SECONDS[this.session.channel.latencyMode],
      dvrWindowSeconds: this.#deps.options.dvrWindowSeconds ?? 300,
      now: () => this.#now(),
      onSegment: (segment, path, initPath) => this.#recorder?.add(index, segment, path, initPath),
      onFailure: (error) => this.#fail(String(error)),
    });
  }

  #transcode(): void {
    const { options } = this.#deps;
    const { meter } = this.#ingest;
    const readers = this.renditions.map(
      ({ packager }, index) =>
        new FragmentReader(
          (init) => packager.addInit(init),
          (fragment) => {
            const boxes = this.#takeMetadata(index, fragment.startSeconds);
            packager.addFragment(
              boxes.length === 0 ? fragment : { ...fragment, data: Buffer.concat([...boxes, fragment.data]) },
            );
            if (packager.targetSeconds !== undefined) this.#start();
          },
        ),
    );
    const transcoder = startTranscoder({
      ffmpeg: options.ffmpeg,
      copiesVideo: meter.copiesVideo,
      copiesAudio: meter.copiesAudio,
      rungs: this.renditions.flatMap(({ rung }) => (rung ? [rung] : [])),
      onData: (rendition, bytes) => {
        // What a former transcoder had left is not continued by the one that took its place.
        if (this.#transcoder !== transcoder) return;
        try {
          readers[rendition]?.read(bytes);
        } catch (error) {
          this.#fail(String(error));
        }
      },
      onExit: (failure) => {
        if (this.#transcoder !== transcoder) return;
        if (failure !== undefined) this.#fail(failure);
        this.#close();
      },
    });
    this.#transcoder = transcoder;
    this.#ingest.begin(transcoder);
  }

  #takeMetadata(rendition: number, startSeconds: number): Buffer[] {
    const waiting = (this.#metadata[rendition] ?? []).splice(0);
    return waiting.map(({ id, text }) => metadataBox(text, startSeconds, id));
  }

  /** Viewers can see it from now on. */
  #start(): void {
    if (this.session.startedAtMs !== undefined || this.#ended) return;
    const { meter } = this.#ingest;
    meter.settle();
    this.session.startedAtMs = this.#now();
    this.#deps.options.log?.(`stream ${this.session.streamId} is live: ${meter.description}`);
    this.#deps.events.stream(this.session, STATE, 'Stream Start');
  }

  #fail(reason: string): void {
    if (this.#ended) return;
    this.#deps.options.log?.(`stream ${this.session.streamId} failed: ${reason}`);
    this.#deps.events.stream(this.session, STATE, 'Stream Failure', {
      reason: 'The stream could not be processed',
    });
    this.end();
  }

  #close(): void {
    this.#ended = true;
    this.#watch.stop();
    this.#ingest.connection.close();
    for (const { packager } of this.renditions) packager.end();
    const closing = Promise.all(this.renditions.map(({ packager }) => packager.flushed()));
    const { events, onEnd } = this.#deps;
    if (this.session.startedAtMs !== undefined) events.stream(this.session, STATE, 'Stream End');
    this.session.endedAtMs = this.#now();
    events.stream(this.session, STATE, 'Session Ended');
    onEnd(this);
    closing
      .then(() => this.#recorder?.end())
      .catch((error: unknown) => this.#deps.options.log?.(String(error)))
      .then(() => this.#finish());
  }
}
