import type { LogItem } from '../chat-room/protocol.ts';
import { frameWindowMs, maxFrames, maxLag } from './protocol.ts';

/** What a socket must remember through hibernation. */
export interface Attachment {
  readonly userId: string | undefined;
  readonly username: string | undefined;
  /** As `relayHeaders.session` has it. */
  readonly session: string | undefined;
  readonly endsAtMs: number;
  /** Owner or moderator: sees what others write at once. */
  readonly keepsOrder: boolean;
  /** What somebody has seen who kept order until now, and will not be shown again. */
  readonly ahead: number;
  /** Whether it has been told where the log stands, and gets what is new from there on. */
  readonly isLive: boolean;
  /** What its visit is known by, once it is live. */
  readonly visit: number | undefined;
}

export function attach(socket: WebSocket, known: Attachment): void {
  const { userId, username, session, endsAtMs, keepsOrder, ahead, isLive, visit } = known;
  const kept: Attachment = { userId, username, session, endsAtMs, keepsOrder, ahead, isLive, visit };
  socket.serializeAttachment(kept);
}
export const attachmentOf = (socket: WebSocket): Attachment => socket.deserializeAttachment() as Attachment;

/** Who a socket is, as it is told. */
export const youOf = ({ username }: Attachment): { readonly username: string } | null =>
  username === undefined ? null : { username };

/** Whether an event is the socket's own, or speaks to it. */
export function concerns(socket: WebSocket, item: LogItem): boolean {
  const { userId, username } = attachmentOf(socket);
  return (
    (userId !== undefined && item.authorId === userId) ||
    (username !== undefined && item.mentions.includes(username))
  );
}

/** What sockets have sent and read, as far as the relay has been awake. */
export interface Conduct {
  /** Counts a frame. @returns whether it is one too many. */
  floods(socket: WebSocket, nowMs: number): boolean;
  sees(socket: WebSocket, seq: number): void;
  /** Whether the client is too far behind `to`. One that has not said yet is taken to have read all. */
  lags(socket: WebSocket, to: number): boolean;
}

export function createConduct(): Conduct {
  const frames = new WeakMap<WebSocket, { count: number; sinceMs: number }>();
  const seen = new WeakMap<WebSocket, number>();
  return {
    floods(socket, nowMs) {
      const known = frames.get(socket);
      const counted =
        known === undefined || known.sinceMs + frameWindowMs <= nowMs ? { count: 0, sinceMs: nowMs } : known;
      counted.count += 1;
      frames.set(socket, counted);
      return counted.count > maxFrames;
    },
    sees(socket, seq) {
      seen.set(socket, seq);
    },
    // What a socket holds back cannot be seen from here: clients say how far they have read.
    lags(socket, to) {
      const read = seen.get(socket);
      if (read === undefined) seen.set(socket, to);
      return read !== undefined && to - read > maxLag;
    },
  };
}
