/** Runs tasks of one name one after the other; tasks of different names do not wait for each other. */
export type Locks = { run<T>(name: string, task: () => Promise<T>): Promise<T> };

export const createLocks = (): Locks => {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(name, task) {
      const before = tails.get(name) ?? Promise.resolve();
      const turn = before.then(task, task);
      const tail = turn.catch(() => undefined);
      tails.set(name, tail);
      try {
        return await turn;
      } finally {
        if (tails.get(name) === tail) tails.delete(name);
      }
    },
  };
};
