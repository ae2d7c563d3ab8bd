import { randomUUID } from 'node:crypto';
import type { EventBridgeEvent } from '../events/index.ts';
import type { IvsOptions } from './ports.ts';
import type { StreamSession } from './resources.ts';
import type { Store } from './store.ts';

export type EventType =
  | 'IVS Stream State Change'
  | 'IVS Stream Health Change'
  | 'IVS Limit Breach'
  | 'IVS Recording State Change';

export type Events = {
  /** Tells of a stream, and keeps it among the events of its session. */
  stream(session: StreamSession, type: EventType, name: string, detail?: Record<string, unknown>): void;
  /** Tells of something that concerns no one stream. */
  account(type: EventType, detail: Record<string, unknown>): void;
  /** Resolves when everything told so far cannot be lost any more. */
  settled(): Promise<void>;
};

/** As many as GetStreamSession tells of. */
const MAX_EVENTS = 500;

/** Events in the envelope of EventBridge. They go out in the order in which they happened. */
export function createEvents(options: IvsOptions, store: Store): Events {
  const log = options.log ?? (() => {});
  const now = options.now ?? (() => new Date());
  let emitted: Promise<unknown> = Promise.resolve();

  function emit(type: EventType, resources: string[], detail: Record<string, unknown>): void {
    const event: EventBridgeEvent = {
      version: '0',
      id: randomUUID(),
      'detail-type': type,
      source: 'aws.ivs',
      account: options.accountId,
      time: `${now().toISOString().slice(0, 19)}Z`,
      region: options.region,
      resources,
      detail,
    };
    emitted = emitted
      .then(() => options.emit(event))
      .catch((error: unknown) => log(`event ${event.id} lost: ${String(error)}`));
  }

  return {
    stream(session, type, name, detail = {}) {
      const code = typeof detail.code === 'string' ? { code: detail.code } : {};
      session.events.push({ name, type, eventTime: now().toISOString(), ...code });
      session.events.splice(0, Math.max(0, session.events.length - MAX_EVENTS));
      store.save('stream-session', session);
      const key =
        type === 'IVS Recording State Change'
          ? { recording_status: name }
          : type === 'IVS Limit Breach'
            ? { limit_name: name }
            : { event_name: name };
      emit(type, [session.channelArn], {
        ...key,
        channel_name: session.channel.name,
        stream_id: session.streamId,
        ...detail,
      });
    },
    account: (type, detail) => emit(type, [], detail),
    settled: async () => {
      await emitted;
    },
  };
}
