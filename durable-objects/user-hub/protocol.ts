/** Something that happened to a user. `data` is JSON. */
export interface HubEvent {
  /** Unique; an event pushed twice under one id is delivered once. */
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

export interface SequencedEvent {
  readonly seq: number;
  readonly event: HubEvent;
}

/** Headers the Worker sets on the upgrade it forwards, after it authenticated the client. Nobody else can reach the object. */
export const hubHeaders = {
  sessionId: 'x-hub-session',
  /** Unix seconds. */
  expiresAt: 'x-hub-expires',
} as const;

/** WebSocket close codes of ours (RFC 6455 §7.4.2 leaves 4000-4999 to applications). */
export const closeCodes = {
  normal: 1000,
  unsupportedData: 1003,
  policyViolation: 1008,
  messageTooBig: 1009,
  internalError: 1011,
  tokenExpired: 4401,
  tooManySockets: 4009,
} as const;

export const hubName = (userId: string): string => `user:${userId}`;

export const subprotocol = 'social-flow.v1';
export const maxSocketsPerUser = 20;
export const maxClientFrameLength = 1_024;
export const maxEventLength = 65_536;
export const keptEvents = 200;
export const keptMs = 86_400_000;

export const encodeEvent = ({ seq, event }: SequencedEvent): string =>
  JSON.stringify({ type: 'event', seq, event });

/** Something that needs no catching up with: it has no number and is not kept. */
export const encodeNotice = (event: { readonly type: string; readonly data: unknown }): string =>
  JSON.stringify({ type: 'notice', event });

/** Sent when every event the client missed was sent: from here on it is live. */
export const encodeReady = (seq: number): string => JSON.stringify({ type: 'ready', seq });

/** Sent instead of missed events when some are gone: the client must read its state anew. */
export const encodeResync = (seq: number): string => JSON.stringify({ type: 'resync', seq });

/** Whether everything after `after` is still kept. */
export const canResume = (after: number, firstSeq: number | undefined, lastSeq: number): boolean =>
  after === lastSeq || (after < lastSeq && firstSeq !== undefined && after >= firstSeq - 1);

/** What to do about a frame from a client, which has nothing to say but the heartbeat `ping`. */
export function answerFrame(
  message: string | ArrayBuffer,
): { readonly reply: string } | { readonly close: number; readonly reason: string } {
  if (typeof message !== 'string') return { close: closeCodes.unsupportedData, reason: 'text frames only' };
  if (message.length > maxClientFrameLength)
    return { close: closeCodes.messageTooBig, reason: 'frame too big' };
  if (message === 'ping') return { reply: 'pong' };
  return { close: closeCodes.policyViolation, reason: 'the only client message is ping' };
}
