/** What a crowd is told to do, as JSON in the last argument of `crowd.ts`. */
export interface CrowdOrder {
  /**
   * How the server speaks: as our room does, whose clients say how far they have read; in the same frames without that; as
   * socket.io; or as one that passes on frames the writers have numbered.
   */
  readonly dialect: 'room' | 'plain' | 'socket.io' | 'numbered';
  readonly port: number;
  readonly sockets: number;
  readonly messagesPerSecond: number;
  readonly seconds: number;
  /** How many different people write. */
  readonly writers: number;
}

/** What the crowd saw. */
export interface CrowdReport {
  readonly connected: number;
  readonly accepted: number;
  readonly dropped: number;
  readonly failed: number;
  readonly frames: number;
  readonly bytes: number;
  /** Events that stood in frames, over all sockets; those left out by thinning are in `omitted`. */
  readonly deliveries: number;
  readonly omitted: number;
  /** Frames that did not go on where the one before ended. */
  readonly faults: number;
  /** Sockets the server closed. */
  readonly closed: number;
  /** Sockets that did not come to the last message. */
  readonly unfinished: number;
  /** Milliseconds from an event to its arrival: median, 99th of a hundred, greatest. */
  readonly lagMs: readonly [number, number, number];
  readonly seconds: number;
}
