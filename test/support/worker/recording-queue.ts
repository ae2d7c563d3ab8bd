export interface SentMessage {
  readonly queue: string;
  readonly body: { readonly id: string; readonly type: string; readonly data: Record<string, unknown> };
}

// Apart from queues.ts, so that a test which never calls the Worker does not load it.
const sent: SentMessage[] = [];

/** Stands where a queue producer is bound, so that a test decides when, how often and in which order messages arrive. */
export const recordingQueue = (queue: string) => ({
  send: async (body: SentMessage['body']) => {
    sent.push({ queue, body: structuredClone(body) });
  },
  sendBatch: async (messages: Iterable<{ body: SentMessage['body'] }>) => {
    for (const { body } of messages) sent.push({ queue, body: structuredClone(body) });
  },
});

/** Puts messages back that were taken too early. */
export const putMessages = (messages: readonly SentMessage[]): void => {
  sent.push(...messages);
};

/** Takes the messages sent so far. */
export const takeMessages = (): SentMessage[] => sent.splice(0);
