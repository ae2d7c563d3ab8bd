/** The envelope every EventBridge event arrives in. */
export type EventBridgeEvent = {
  version: '0';
  /** Unique per event; a redelivery carries the same one. */
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** RFC 3339, whole seconds, UTC. */
  time: string;
  region: string;
  resources: string[];
  detail: Record<string, unknown>;
};

/** Where events go: the `HttpEndpoint` and the API-key connection of an API destination. */
export type ApiDestination = {
  url: string;
  /** Secret headers sent with every delivery. */
  headers: Readonly<Record<string, string>>;
};

/** Faults to inject, each a probability from 0 to 1 and all decided by the seed and the order of events. */
export type Chaos = {
  /** Deliver the event a second time. */
  duplicate?: number;
  /** Hold the event back until the next one has been delivered. */
  reorder?: number;
  /** Never deliver the event. */
  drop?: number;
  /** Wait this long before each first delivery. */
  delayMs?: number;
};

export type EventBusOptions = {
  target: ApiDestination;
  /** Directory for undelivered events; they are delivered after a restart. */
  dataDir: string;
  chaos?: Chaos;
  /** Seed of the injected faults. Default 1. */
  seed?: number;
  /** Deliveries that were answered (with 429 or 5xx) or timed out before giving up. Default 185, EventBridge's own. */
  maxAttempts?: number;
  /** Age at which an event is given up, whatever the reason. Default 86,400 s, EventBridge's own. */
  maxAgeSeconds?: number;
  /** Deadline of one delivery. Default 5,000 ms, that of an API destination. */
  requestTimeoutMs?: number;
  /** First pause between attempts; it doubles with each one. Default 250 ms. */
  retryBaseMs?: number;
  /** Longest pause between attempts. Default 10,000 ms; a longer Retry-After is honoured. */
  retryMaxMs?: number;
  /** How long a reordered event waits for a successor before it goes out anyway. Default 1,000 ms. */
  reorderHoldMs?: number;
  log?: (line: string) => void;
};

export type EventBus = {
  /** Accepts an event for delivery. Resolves once it is on disk, so that a crash cannot lose it. */
  emit(event: EventBridgeEvent): Promise<void>;
  /** Resolves when nothing is waiting to be delivered. */
  idle(): Promise<void>;
  /** Stops delivering; what is undelivered stays on disk. */
  close(): Promise<void>;
};
