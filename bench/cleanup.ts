export type Close = () => Promise<unknown> | unknown;

export interface Cleanup {
  /** Remembers how to undo a step. */
  add(close: Close): void;
  /** Undoes what was added since the last call, the latest first; failures are told and do not stop the rest. */
  run(): Promise<void>;
}

/** Takes back what the bench started, at its end or on Ctrl-C. */
export function createCleanup(): Cleanup {
  const closers: Close[] = [];
  let running: Promise<void> = Promise.resolve();
  const undo = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
      try {
        await close();
      } catch (error) {
        console.error(`cleaning up: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  return {
    add: (close) => void closers.push(close),
    run: () => {
      running = running.then(undo);
      return running;
    },
  };
}
