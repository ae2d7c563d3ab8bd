/** Numbers messages in memory, as a small conventional chat server does, and words them as our room words its events. */
export function createNumbering() {
  let seq = 0;
  return {
    head: (): number => seq,
    /** @returns the event as it stands in a batch, and what its writer is answered. */
    take(body: string): { readonly seq: number; readonly entry: string; readonly answer: string } {
      const { writer, text } = JSON.parse(body) as { writer: number; text: string };
      seq += 1;
      const event = {
        type: 'message',
        id: `msg_${String(seq).padStart(26, '0')}`,
        author: {
          id: `usr_${String(writer).padStart(26, '0')}`,
          username: `writer${writer}`,
          name: `Writer ${writer}`,
          role: 'viewer',
          member: false,
        },
        fragments: [{ type: 'text', text }],
      };
      return {
        seq,
        entry: JSON.stringify({ seq, at: Date.now(), event }),
        answer: JSON.stringify({ is_sent: true, message_id: event.id, seq }),
      };
    },
  };
}

export type Numbering = ReturnType<typeof createNumbering>;

/** Gathers entries for `batchMs` (0: not at all) and hands each batch to `send`. */
export function createGathering(batchMs: number, send: (from: number, to: number, frame: string) => void) {
  let waiting: string[] = [];
  const flush = (to: number): void => {
    const from = to - waiting.length + 1;
    const frame = `{"type":"batch","from":${from},"to":${to},"events":[${waiting.join(',')}]}`;
    waiting = [];
    send(from, to, frame);
  };
  return (numbering: Numbering, entry: string): void => {
    waiting.push(entry);
    if (batchMs === 0) flush(numbering.head());
    else if (waiting.length === 1) setTimeout(() => flush(numbering.head()), batchMs);
  };
}
