/** Calls listeners one after the other; one that throws stops no other. */
export function createEmitter<Events extends object>() {
  const listeners = new Map<keyof Events, Set<(event: never) => void>>();
  return {
    on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
      const all = listeners.get(name) ?? new Set();
      listeners.set(name, all);
      all.add(listener as (event: never) => void);
      return () => void all.delete(listener as (event: never) => void);
    },
    emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
      for (const listener of [...(listeners.get(name) ?? [])])
        try {
          (listener as (event: Events[Name]) => void)(event);
        } catch (error) {
          // Reported as if nobody had caught it, without ending the upload.
          queueMicrotask(() => {
            throw error;
          });
        }
    },
  };
}
