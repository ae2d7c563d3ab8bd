import { type ApiCalls, createApi, isTransient, type RemoteUpload, type SentPart } from './api.ts';
import { createEmitter } from './emitter.ts';
import { fingerprintOf } from './fingerprint.ts';
import { watchNetwork } from './network.ts';
import { createPartQueue, type PartQueue } from './part-queue.ts';
import { sendParts } from './send-parts.ts';
import { createSpeedometer } from './speed.ts';
import {
  UploadError,
  type UploadEvents,
  type UploadOptions,
  type UploadProgress,
  type UploadResult,
  type UploadSource,
  type UploadState,
} from './types.ts';

export interface Upload {
  readonly state: UploadState;
  readonly progress: UploadProgress;
  /**
   * Sends the file, or what the server does not hold of it yet, and completes the upload. The same promise however often it is
   * called. @throws UploadError.
   */
  start(): Promise<UploadResult>;
  /** Stops sending; what is on its way is sent again later. */
  pause(): void;
  resume(): void;
  /** Gives the upload up, here and on the server. `start` rejects with `aborted`. */
  abort(): Promise<void>;
  /** @returns a function that stops listening. */
  on<Name extends keyof UploadEvents>(name: Name, listener: (event: UploadEvents[Name]) => void): () => void;
}

interface Saved {
  readonly idempotencyKey: string;
  /** What was asked for: repeating the request under its key needs the same words. */
  readonly body: unknown;
  readonly uploadId?: string;
}

/** Longer lists do not fit a request; the server then takes the parts that have arrived. */
const maxListedParts = 2_000;
const reportEveryMs = 100;

/** An upload of one file, which goes on where it stopped: after failures, pauses, and reloads of the page. */
export function createUpload<Source extends UploadSource>(options: UploadOptions<Source>): Upload {
  const { source, store, maxAttempts = 8, retryBaseMs = 500 } = options;
  const concurrency = Math.min(6, Math.max(1, Math.floor(options.concurrency ?? 3)));
  const events = createEmitter<UploadEvents>();
  const speed = createSpeedometer(() => Date.now());
  const ended = new AbortController();
  let state: UploadState = 'idle';
  let queue: PartQueue | undefined;
  let running: Promise<UploadResult> | undefined;
  let remote: RemoteUpload | undefined;
  // Aborted and replaced by each pause; gone through by everything that is on its way.
  let moving = new AbortController();
  let paused = false;
  let offline = typeof navigator === 'object' && navigator.onLine === false;
  let held: (() => void)[] = [];

  const setState = (next: UploadState) => {
    if (state === next) return;
    state = next;
    events.emit('state', next);
  };
  const progress = (): UploadProgress => {
    const bytesSent = state === 'complete' ? source.size : (queue?.bytesSent() ?? 0);
    const bytesPerSecond = speed.bytesPerSecond();
    return {
      bytesSent,
      bytesTotal: source.size,
      percent: source.size === 0 ? 0 : Math.floor((100 * bytesSent) / source.size),
      bytesPerSecond,
      secondsLeft: bytesPerSecond > 0 ? (source.size - bytesSent) / bytesPerSecond : undefined,
    };
  };
  let reportedAtMs = 0;
  const report = () => {
    const nowMs = Date.now();
    if (nowMs - reportedAtMs < reportEveryMs && queue?.isDone() !== true) return;
    reportedAtMs = nowMs;
    speed.note(queue?.bytesSent() ?? 0);
    events.emit('progress', progress());
  };

  const mayMove = () => !paused && !offline;
  /** Ends once nothing holds the upload up. */
  const moves = async (): Promise<AbortSignal> => {
    while (!mayMove()) {
      ended.signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        held.push(resolve);
      });
    }
    ended.signal.throwIfAborted();
    return moving.signal;
  };
  const hold = () => {
    if (mayMove() || isOver(state)) return;
    moving.abort(new DOMException('held up', 'AbortError'));
    moving = new AbortController();
    speed.reset();
    if (state !== 'idle') setState(paused ? 'paused' : 'offline');
  };
  const wake = () => {
    const waiting = held;
    held = [];
    for (const resolve of waiting) resolve();
  };
  const goOn = () => {
    if (!mayMove()) return hold();
    wake();
  };

  const api: ApiCalls = createApi(options.api, {
    maxAttempts,
    baseMs: retryBaseMs,
    random: Math.random,
    onRetry: (retry) => events.emit('retry', retry),
    online: async () => void (await moves()),
  });

  async function run(): Promise<UploadResult> {
    const stopWatching = watchNetwork((online) => {
      offline = !online;
      goOn();
    });
    const key = await fingerprintOf(source).catch((error: unknown) => {
      setState('failed');
      throw error;
    });
    try {
      await moves();
      setState('starting');
      remote = await untilMoved(() => begin(key));
      const { id: uploadId, video_id: videoId } = remote;
      if (remote.state !== 'completed') await transfer(remote);
      await store.delete(key);
      setState('complete');
      events.emit('progress', progress());
      return { uploadId, videoId };
    } catch (error) {
      if (ended.signal.aborted) {
        await store.delete(key);
        throw new UploadError('aborted', 'The upload was given up.');
      }
      if (error instanceof UploadError && !mayPass(error)) await store.delete(key);
      setState('failed');
      throw error;
    } finally {
      stopWatching();
    }
  }

  /** Does something again when a pause cut it off. */
  async function untilMoved<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (;;) {
      const signal = await moves();
      try {
        return await work(signal);
      } catch (error) {
        if (!signal.aborted || ended.signal.aborted) throw error;
      }
    }
  }

  /** The upload this file already has, or a new one. The key is kept first, so that a lost answer makes no second upload. */
  async function begin(key: string): Promise<RemoteUpload> {
    const saved = parseSaved(await store.get(key));
    if (saved?.uploadId !== undefined) {
      const found = await api.find(saved.uploadId, moving.signal);
      if (found !== undefined && found.size_bytes === source.size && isAlive(found.state)) {
        adopt(found, found.held_parts);
        return found;
      }
      await store.delete(key);
    }
    const fresh: Saved =
      saved !== undefined && saved.uploadId === undefined
        ? saved
        : {
            idempotencyKey: crypto.randomUUID(),
            body: {
              ...options.metadata,
              file_name: source.name,
              size_bytes: source.size,
              content_type: source.type,
            },
          };
    await store.set(key, JSON.stringify(fresh));
    const started = await api
      .start(fresh.body, fresh.idempotencyKey, moving.signal)
      .catch(async (error: unknown) => {
        // Nothing was begun, and under its key the server may repeat its answer.
        if (error instanceof UploadError && error.code !== 'network') await store.delete(key);
        throw error;
      });
    await store.set(key, JSON.stringify({ ...fresh, uploadId: started.id }));
    adopt(started, []);
    queue?.keepUrls(started.parts);
    return started;
  }

  function adopt(upload: RemoteUpload, held: readonly SentPart[]): void {
    queue = createPartQueue(source.size, upload.part_size_bytes, upload.part_count);
    queue.setHeld(held);
    report();
  }

  async function transfer(upload: RemoteUpload): Promise<void> {
    for (let round = 0; ; round += 1) {
      const parts = queue;
      if (parts === undefined) throw new TypeError('nothing was begun');
      await untilMoved(async (signal) => {
        setState('sending');
        await sendParts({
          upload,
          parts,
          api,
          source,
          transport: options.transport,
          concurrency,
          maxAttempts,
          retryBaseMs,
          signal,
          onProgress: report,
          onPart: (partNumber) => events.emit('part', { partNumber, partCount: parts.partCount }),
          onRetry: (retry) => events.emit('retry', retry),
        });
      });
      await source.verify();
      if (await untilMoved((signal) => finish(upload, parts, signal, round))) return;
    }
  }

  /** @returns false when the server misses parts, which are then to be sent again. */
  async function finish(
    upload: RemoteUpload,
    parts: PartQueue,
    signal: AbortSignal,
    round: number,
  ): Promise<boolean> {
    setState('completing');
    const list = parts.sentParts();
    try {
      await api.complete(upload.id, list.length > maxListedParts ? undefined : list, signal);
      return true;
    } catch (error) {
      if (!(error instanceof UploadError) || error.code !== 'api_refused') throw error;
      const now = await api.find(upload.id, signal);
      if (now?.state === 'completed') return true;
      if (now === undefined || !isAlive(now.state))
        throw new UploadError('upload_ended', 'The upload ended before it was complete.', { cause: error });
      const missing = now.part_count - now.held_parts.length;
      if (round >= 2 || (error.status !== 422 && error.status !== 409) || missing === 0) throw error;
      parts.setHeld(now.held_parts);
      return false;
    }
  }

  return {
    get state() {
      return state;
    },
    get progress() {
      return progress();
    },
    start() {
      running ??= run();
      return running;
    },
    pause() {
      paused = true;
      hold();
    },
    resume() {
      paused = false;
      goOn();
    },
    async abort() {
      if (isOver(state)) return;
      setState('aborted');
      ended.abort(new DOMException('given up', 'AbortError'));
      moving.abort(ended.signal.reason);
      wake();
      await running?.catch(() => undefined);
      if (remote === undefined) return;
      paused = false;
      const last = createApi(options.api, {
        maxAttempts: 3,
        baseMs: retryBaseMs,
        random: Math.random,
        onRetry: () => undefined,
        online: async () => undefined,
      });
      // Should this fail, the server lets the upload expire.
      await last.abort(remote.id, new AbortController().signal).catch(() => undefined);
    },
    on: events.on,
  };
}

const isOver = (state: UploadState): boolean =>
  state === 'complete' || state === 'aborted' || state === 'failed';

/** Whether what has been sent may be of use another time: there was no network, the server was busy, or nobody was signed in. */
const mayPass = ({ code, status }: UploadError): boolean =>
  code === 'network' || (status !== undefined && (isTransient(status) || status === 401));

const isAlive = (state: RemoteUpload['state']): boolean => state !== 'aborted' && state !== 'expired';

function parseSaved(text: string | undefined): Saved | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Saved>;
    return typeof value.idempotencyKey === 'string' && value.body !== undefined
      ? (value as Saved)
      : undefined;
  } catch {
    return undefined;
  }
}
