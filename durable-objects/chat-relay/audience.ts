import type { Crowd, LogItem, RoomNotes } from '../chat-room/protocol.ts';
import { closeQuietly, sendQuietly } from '../user-hub/sockets.ts';
import {
  batchFrame,
  chatCloseCodes,
  earlyFrame,
  type Hello,
  helloFrame,
  readablePerSecond,
  resyncFrame,
} from './protocol.ts';
import { attachmentOf, type Conduct, concerns } from './sockets.ts';
import { thin } from './thin.ts';

/** Those who keep order see everything at once; the others, what may be shown to all. */
export type Listeners = 'keepers' | 'others' | 'everybody';

/** The sockets of a relay, as those who are told what is new. */
export interface Audience {
  /** Those that have been told where the log stands. */
  live(): WebSocket[];
  crowd(): Crowd;
  /** The visits of those who are there. */
  visits(): Set<number>;
  tell(frames: readonly string[], listeners?: Listeners): void;
  /** Shows the next run of the log, to each as much of it as they can read. */
  show(after: number, items: readonly LogItem[], nowMs: number, listeners: Listeners): void;
  /** Shows authors what they wrote themselves, where others do not see it yet. */
  showAuthors(items: readonly LogItem[]): void;
}

// Only events of the room itself look like these; what people write cannot look like one, since its quotes are escaped.
const closing = /"event":\{"type":"closed"\}/;
const noted = /"event":\{"type":"(?:settings|pinned|poll)"/;

export function createAudience(sockets: (tag?: string) => WebSocket[], conduct: Conduct): Audience {
  const shownAtMs = { keepers: 0, others: 0 };

  const isLive = (socket: WebSocket): boolean =>
    socket.readyState === WebSocket.OPEN && attachmentOf(socket).isLive;
  const live = (): WebSocket[] => sockets().filter(isLive);
  const listening = (listeners: Listeners): WebSocket[] =>
    listeners === 'everybody'
      ? live()
      : live().filter((socket) => attachmentOf(socket).keepsOrder === (listeners === 'keepers'));

  /** Sockets of those who wrote what is left out, or whom it speaks to. */
  function concernedBy(omitted: readonly LogItem[]): Set<WebSocket> {
    const tags = new Set<string>();
    for (const { authorId, mentions } of omitted) {
      if (authorId !== undefined) tags.add(`u:${authorId}`);
      for (const name of mentions) tags.add(`n:${name}`);
    }
    return new Set([...tags].flatMap((tag) => sockets(tag)));
  }

  function readable(listeners: Listeners, nowMs: number): number {
    const since = listeners === 'keepers' ? shownAtMs.keepers : shownAtMs.others;
    if (listeners !== 'others') shownAtMs.keepers = nowMs;
    if (listeners !== 'keepers') shownAtMs.others = nowMs;
    const elapsedMs = Math.min(1_000, Math.max(100, nowMs - since));
    return Math.ceil((readablePerSecond * elapsedMs) / 1_000);
  }

  return {
    live,
    crowd() {
      const users = live().map((socket) => attachmentOf(socket).userId);
      const strangers = users.filter((userId) => userId === undefined).length;
      const people = new Set(users).size - (strangers > 0 ? 1 : 0);
      return { sockets: users.length, viewers: people + strangers };
    },
    visits: () =>
      new Set(
        live()
          .map((socket) => attachmentOf(socket).visit)
          .filter((visit) => visit !== undefined),
      ),
    tell(frames, listeners = 'everybody') {
      for (const socket of frames.length === 0 ? [] : listening(listeners))
        for (const frame of frames) sendQuietly(socket, frame);
    },
    show(after, items, nowMs, listeners) {
      const to = items.at(-1)?.seq ?? after;
      const those = listening(listeners);
      const limit = readable(listeners, nowMs);
      const { frame, omitted } = thin(items, after, limit);
      const concerned = concernedBy(omitted);
      for (const socket of those) {
        const from = listeners === 'others' ? Math.max(after, attachmentOf(socket).ahead) : after;
        if (from >= to) continue;
        if (conduct.lags(socket, to)) closeQuietly(socket, chatCloseCodes.tooSlow, 'too far behind');
        else if (from > after) {
          const rest = items.filter(({ seq }) => seq > from);
          sendQuietly(socket, thin(rest, from, limit, (item) => concerns(socket, item)).frame);
        } else if (!concerned.has(socket)) sendQuietly(socket, frame);
        else sendQuietly(socket, thin(items, after, limit, (item) => concerns(socket, item)).frame);
      }
      if (items.some(({ text }) => closing.test(text)))
        for (const socket of those) closeQuietly(socket, chatCloseCodes.closed, 'the room is closed');
    },
    showAuthors(items) {
      for (const { authorId, text } of items) {
        if (authorId === undefined) continue;
        for (const socket of sockets(`u:${authorId}`))
          if (isLive(socket) && !attachmentOf(socket).keepsOrder) sendQuietly(socket, earlyFrame([text]));
      }
    },
  };
}

/** Tells a socket where the log stands, and what it missed, up to there; undefined where some of that is gone. */
export function greet(socket: WebSocket, hello: Hello, missed: readonly LogItem[] | undefined): void {
  sendQuietly(socket, helloFrame(hello));
  if (missed === undefined) return void sendQuietly(socket, resyncFrame(hello.seq));
  const [first] = missed;
  if (first === undefined) return;
  const texts = missed.map(({ text }) => text);
  sendQuietly(socket, batchFrame(first.seq, hello.seq, texts, []));
}

/** What hangs in a room after an event of its log. */
export function notesAfter(notes: RoomNotes | undefined, { text }: LogItem): RoomNotes | undefined {
  if (notes === undefined || !noted.test(text)) return notes;
  const { type: _, ...changed } = (JSON.parse(text) as { event: Partial<RoomNotes> & { type: string } })
    .event;
  return { ...notes, ...changed };
}
