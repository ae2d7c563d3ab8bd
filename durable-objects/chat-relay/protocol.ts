import { isBanned } from '../chat-room/decide.ts';
import type {
  HeldMessage,
  HeldOutcome,
  PollView,
  RoomNotes,
  SendResult,
  Standing,
} from '../chat-room/protocol.ts';

export const chatSubprotocol = 'social-flow.chat.v1';

/** Headers the Worker sets on the upgrade it forwards, after it let the client in. Nobody else can reach the object. */
export const relayHeaders = {
  streamId: 'x-chat-stream',
  relay: 'x-chat-relay',
  region: 'x-chat-region',
  userId: 'x-chat-user',
  username: 'x-chat-username',
  /** `1` for those who keep order. */
  keepsOrder: 'x-chat-keeper',
  /** The session, the epoch of its token and when that was signed (Unix seconds), with spaces between. */
  session: 'x-chat-session',
  /** Unix milliseconds at which the connection ends. */
  endsAtMs: 'x-chat-ends',
  /** The last number the client has. */
  after: 'x-chat-after',
} as const;

/** WebSocket close codes (RFC 6455 §7.4.2 leaves 4000-4999 to applications). */
export const chatCloseCodes = {
  normal: 1000,
  unsupportedData: 1003,
  messageTooBig: 1009,
  internalError: 1011,
  malformed: 4400,
  tokenExpired: 4401,
  tooSlow: 4008,
  /** Banned for good. */
  banned: 4403,
  closed: 4410,
  flood: 4429,
  /** The relay is full: connect again, and be placed elsewhere. */
  full: 4503,
} as const;

export const maxFrameLength = 4_096;
/** Frames a client may send in `frameWindowMs`. */
export const maxFrames = 60;
export const frameWindowMs = 10_000;
/** Events a client may be behind before it is dropped: some 25 seconds of a room at its limit. */
export const maxLag = 5_000;
/** Messages a second that somebody can read; beyond, a viewer gets a choice of them. */
export const readablePerSecond = 30;

/**
 * A run of the room's log: every number from `from` to `to` is either among the events or within a range of `omitted`.
 * @param events texts of `LogItem`s.
 */
export function batchFrame(
  from: number,
  to: number,
  events: readonly string[],
  omitted: readonly (readonly [number, number])[],
): string {
  const left = omitted.length === 0 ? '' : `,"omitted":${JSON.stringify(omitted)}`;
  return `{"type":"batch","from":${from},"to":${to},"events":[${events.join(',')}]${left}}`;
}

/**
 * Events that have their place in a run still to come: what somebody wrote, while others do not see it yet.
 * @param events texts of `LogItem`s.
 */
export const earlyFrame = (events: readonly string[]): string =>
  `{"type":"early","events":[${events.join(',')}]}`;

/** What a socket is told first. */
export interface Hello extends RoomNotes {
  /** How far the log has come. */
  readonly seq: number;
  readonly viewers: number;
  /** Null for strangers. */
  readonly you: { readonly username: string } | null;
}

export const helloFrame = (hello: Hello): string => JSON.stringify({ type: 'hello', v: 1, ...hello });

/** How many look on at the room. */
export const viewersFrame = (count: number): string => JSON.stringify({ type: 'viewers', count });

/** How the votes of the poll that goes on stand. */
export const pollFrame = (poll: PollView): string => JSON.stringify({ type: 'poll', poll });

/** The client's log has a hole that nobody can fill: it begins anew behind `seq`. */
export const resyncFrame = (seq: number): string => JSON.stringify({ type: 'resync', seq });

/** What somebody may do here, since something was decided about them. */
export const standingFrame = (standing: Standing, nowMs: number): string => {
  const { role, ban, warning } = standing;
  const banned = isBanned(standing, nowMs);
  const until = banned ? (ban?.untilMs ?? null) : null;
  return JSON.stringify({ type: 'standing', role, warning, banned, banned_until: until });
};

/** For moderators: a message waits for one of them. */
export const heldFrame = (message: HeldMessage): string => JSON.stringify({ type: 'held', message });

/** For moderators and the author: what became of a message that waited. */
export const heldEndedFrame = (messageId: string, outcome: HeldOutcome): string =>
  JSON.stringify({ type: 'held_ended', message_id: messageId, outcome });

export const resultFrame = (clientId: string, result: SendResult): string =>
  JSON.stringify({ type: 'sent', id: clientId, ...result });

export const errorFrame = (code: string, message: string, clientId?: string): string =>
  JSON.stringify({ type: 'error', ...(clientId === undefined ? {} : { id: clientId }), code, message });

export type ClientFrame =
  | {
      readonly type: 'send';
      readonly id: string;
      readonly text: string;
      readonly replyTo: string | undefined;
    }
  /** How far the client has read; what is behind for too long is dropped. */
  | { readonly type: 'seen'; readonly seq: number };

const clientIds = /^[A-Za-z0-9_-]{1,64}$/;
const messageIds = /^msg_[0-9a-z]{26}$/;

/** What a client's frame says, or undefined when it is none that the protocol has. */
export function readFrame(text: string): ClientFrame | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return undefined;
  const { type, id, text: words, reply_to: replyTo, seq, ...rest } = frame as Record<string, unknown>;
  if (Object.keys(rest).length > 0) return undefined;
  if (type === 'seen' && Number.isSafeInteger(seq) && Number(seq) >= 0) return { type, seq: Number(seq) };
  if (type !== 'send' || typeof id !== 'string' || !clientIds.test(id) || typeof words !== 'string')
    return undefined;
  if (replyTo !== undefined && (typeof replyTo !== 'string' || !messageIds.test(replyTo))) return undefined;
  return { type, id, text: words, replyTo };
}
