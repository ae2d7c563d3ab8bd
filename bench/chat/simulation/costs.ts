/** What each thing costs the thread of the object that does it, microseconds. */
export interface Costs {
  /** To decide on a message, and to write and number it. */
  readonly roomMessage: number;
  /** To hand a relay a batch, or counts. */
  readonly roomCall: number;
  /** To let somebody in, or to hear of a relay. */
  readonly roomHeard: number;
  /** To count a message for analytics. */
  readonly roomTally: number;
  /** To take a batch, before anybody is told. */
  readonly relayBatch: number;
  /** To send a frame to one socket. */
  readonly relayFrame: number;
  /** To take a frame of a client. */
  readonly relayHeard: number;
  /** To look after one socket with each lease. */
  readonly relayLease: number;
}

/**
 * On a core of a Xeon. `roomMessage` and `relayFrame` are a line through rounds of `npm run bench -- chat` of 300 sockets (cores = 800 us for each message,
 * with the Worker's part, + 27 us for each frame); `roomTally` is the tally by itself; the others are guesses on the safe side.
 */
export const knownCosts: Costs = {
  roomMessage: 800,
  roomCall: 60,
  roomHeard: 120,
  roomTally: 19,
  relayBatch: 200,
  relayFrame: 27,
  relayHeard: 25,
  relayLease: 5,
};

/** @throws Error for anything that is not `name=microseconds`, with commas between. */
export function costsOf(text: string | undefined): Costs {
  const given: Record<string, number> = {};
  for (const part of text === undefined || text === '' ? [] : text.split(',')) {
    const [name = '', value = ''] = part.split('=');
    if (!Object.hasOwn(knownCosts, name) || !/^\d+(\.\d+)?$/.test(value))
      throw new Error(`${part} is no cost: ${Object.keys(knownCosts).join(', ')}`);
    given[name] = Number(value);
  }
  return { ...knownCosts, ...given };
}
