import type { EventBridgeEvent } from '../../events/index.ts';
import type { JobRecord } from './job.ts';
import type { JobStore } from './store.ts';

export type Publisher = {
  /**
   * Saves a job together with the event that tells of its new state, then hands the event over. A crash in between
   * only delays the event to the next start.
   */
  publish(job: JobRecord, event: EventBridgeEvent): Promise<void>;
  /** Hands over an event that nobody misses when it is lost. */
  send(event: EventBridgeEvent): void;
  /** Hands over what an earlier run left behind. */
  resume(): void;
  close(): Promise<void>;
};

export function createPublisher(
  store: JobStore,
  emit: (event: EventBridgeEvent) => Promise<void>,
  log: (line: string) => void,
): Publisher {
  const flushing = new Map<string, Promise<void>>();

  async function handOver(job: JobRecord): Promise<void> {
    for (let event = job.pendingEvents[0]; event; event = job.pendingEvents[0]) {
      await emit(event);
      job.pendingEvents = job.pendingEvents.slice(1);
      await store.save(job);
    }
  }

  function flush(job: JobRecord): Promise<void> {
    const earlier = flushing.get(job.id) ?? Promise.resolve();
    const done = earlier
      .then(() => handOver(job))
      .catch((error: unknown) => log(`events of job ${job.id} wait for the next start: ${String(error)}`))
      .finally(() => {
        if (flushing.get(job.id) === done) flushing.delete(job.id);
      });
    flushing.set(job.id, done);
    return done;
  }

  return {
    async publish(job, event) {
      job.pendingEvents = [...job.pendingEvents, event];
      await store.save(job);
      await flush(job);
    },
    send(event) {
      emit(event).catch((error: unknown) => log(`event ${event.id} lost: ${String(error)}`));
    },
    resume() {
      for (const job of store.all()) if (job.pendingEvents.length > 0) flush(job);
    },
    async close() {
      await Promise.all(flushing.values());
    },
  };
}
