import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Events } from '../events.ts';
import { newResourceId } from '../ids.ts';
import type { PlannedRendition } from '../live/rendition.ts';
import type { IvsOptions } from '../ports.ts';
import type { StreamSession } from '../resources.ts';
import type { Store } from '../store.ts';
import { prefixOf, recordedRenditions, thumbnailRendition } from './layout.ts';
import { createRecorder, type Recorder } from './recorder.ts';
import { Recording } from './recording.ts';

export type Recordings = {
  /** Records a broadcast, if its channel is to be: in a new recording, or in one that waits for its encoder. */
  record(session: StreamSession, renditions: readonly PlannedRendition[]): Recorder | undefined;
  /** Stops waiting for encoders; recordings that wait are ended by a later start. */
  close(): Promise<void>;
};

const TYPE = 'IVS Recording State Change';

/** All recordings that are not over, those of an earlier run included. */
export function openRecordings(options: IvsOptions, store: Store, events: Events): Recordings {
  const log = options.log ?? (() => {});
  const now = (): number => (options.now?.() ?? new Date()).getTime();
  const root = join(options.dataDir, 'recordings');
  const waiting = new Map<string, { recording: Recording; timer: NodeJS.Timeout }>();
  const ending = new Set<Promise<void>>();
  mkdirSync(root, { recursive: true });
  for (const id of readdirSync(root)) {
    const recording = Recording.load(root, id, options.objectStore);
    if (recording) pause(recording);
    else rmSync(join(root, id), { recursive: true, force: true });
  }

  function tell(recording: Recording, status: string, reason = ''): void {
    const { state } = recording;
    const session = store.find('stream-session', state.sessionArn);
    if (!session) return;
    events.stream(session, TYPE, status, {
      recording_status_reason: reason,
      recording_s3_bucket_name: state.configuration.bucketName,
      recording_s3_key_prefix: state.prefix,
      recording_duration_ms: state.durationMs,
      recording_session_id: state.id,
      recording_session_stream_ids: state.streamIds,
    });
  }

  /** No encoder is connected any more: waits as long as the configuration says, counted from when it began to wait. */
  function pause(recording: Recording): void {
    const { state } = recording;
    state.closesAtMs ??= now() + state.configuration.reconnectWindowSeconds * 1000;
    recording.save();
    const { channelArn } = state;
    // One that still waits is another recording than this, and not to be gone on with.
    const former = waiting.get(channelArn);
    if (former) finishSoon(former.recording);
    const timer = setTimeout(() => finishSoon(recording), Math.max(0, state.closesAtMs - now()));
    waiting.set(channelArn, { recording, timer });
  }

  function take(recording: Recording): void {
    const held = waiting.get(recording.state.channelArn);
    if (held?.recording !== recording) return;
    clearTimeout(held.timer);
    waiting.delete(recording.state.channelArn);
  }

  function finishSoon(recording: Recording): Promise<void> {
    take(recording);
    const done = finish(recording)
      .catch((error: unknown) => log(`recording ${recording.state.id}: ${String(error)}`))
      .finally(() => ending.delete(done));
    ending.add(done);
    return done;
  }

  async function finish(recording: Recording): Promise<void> {
    const { state } = recording;
    if (state.durationMs === 0 && state.failure === undefined) {
      recording.remove();
      return;
    }
    try {
      await recording.putPlaylists(true);
      await recording.putEnded(now());
    } catch (error) {
      state.failure ??= String(error);
    }
    if (state.failure === undefined) tell(recording, 'Recording End');
    else tell(recording, 'Recording End Failure', state.failure);
    recording.remove();
  }

  function resume(session: StreamSession, renditions: readonly PlannedRendition[]): Recording | undefined {
    const recording = waiting.get(session.channelArn)?.recording;
    if (!recording) return undefined;
    const { state } = recording;
    const names = renditions.map(({ info }) => info.name).join();
    const isSame =
      state.configuration.arn === session.recordingConfiguration?.arn &&
      state.offered.map(({ name }) => name).join() === names;
    if (!isSame || (state.closesAtMs ?? 0) <= now()) {
      finishSoon(recording);
      return undefined;
    }
    take(recording);
    delete state.closesAtMs;
    state.sessionArn = session.arn;
    state.streamIds.push(session.streamId);
    recording.save();
    return recording;
  }

  function begin(session: StreamSession, renditions: readonly PlannedRendition[]): Recording | undefined {
    const configuration = session.recordingConfiguration;
    if (!configuration) return undefined;
    const id = newResourceId();
    const startedAtMs = now();
    const offered = renditions.map(({ info }) => info);
    const recording = new Recording(
      root,
      {
        id,
        channelArn: session.channelArn,
        sessionArn: session.arn,
        streamIds: [session.streamId],
        configuration,
        prefix: prefixOf(options.accountId, session.channelArn, startedAtMs, id),
        startedAtMs,
        offered,
        recorded: recordedRenditions(configuration.renditions, offered, session.channel.type === 'BASIC'),
        thumbnailsOf: thumbnailRendition(configuration.thumbnails.resolution, offered),
        inits: [],
        counts: [],
        durationMs: 0,
        thumbnails: 0,
        nextThumbnailMs: 0,
      },
      options.objectStore,
    );
    if (configuration.state === 'ACTIVE' && options.objectStore.bucketExists(configuration.bucketName)) {
      recording.save();
      return recording;
    }
    tell(recording, 'Recording Start Failure', `The bucket ${configuration.bucketName} cannot be written to`);
    recording.remove();
    return undefined;
  }

  return {
    record(session, renditions) {
      const resumed = resume(session, renditions);
      const recording = resumed ?? begin(session, renditions);
      if (!recording) return undefined;
      const { state } = recording;
      return createRecorder({
        recording,
        ffmpeg: options.ffmpeg,
        resumes: resumed !== undefined,
        onStart: () => tell(recording, 'Recording Start'),
        onFailure: (error) => {
          log(`recording ${state.id}: ${String(error)}`);
          state.failure ??= 'The recording could not be written';
        },
        onNoThumbnail: (error) => log(`thumbnail of recording ${state.id}: ${String(error)}`),
        async onEnd() {
          if (state.configuration.reconnectWindowSeconds > 0) pause(recording);
          else await finishSoon(recording);
        },
      });
    },
    async close() {
      for (const { timer } of waiting.values()) clearTimeout(timer);
      waiting.clear();
      await Promise.all(ending);
    },
  };
}
