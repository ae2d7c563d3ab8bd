import { encodeId } from '../../src/shared/ids.ts';
import { type ChatEvent, keptEvents, type LogItem, type LogRun } from '../chat-room/protocol.ts';
import { sendQuietly } from '../user-hub/sockets.ts';
import type { Audience } from './audience.ts';
import { batchFrame, resyncFrame } from './protocol.ts';
import { attach, attachmentOf } from './sockets.ts';

/** What holding back is connected to. */
export interface HoldbackEnds {
  readonly audience: Audience;
  now(): number;
  /** What the room has after a number. */
  read(after: number, limit: number): Promise<LogRun>;
  /** Calls `release` in its turn, after so long. */
  releaseIn(ms: number): void;
}

/**
 * Shows the log to those who keep order at once, and to the others when it may be shown to them; to both in order and without
 * holes, so an event also waits for those before it. What is deleted while it waits is shown without its words.
 */
export interface Holdback {
  /** How far those have come who keep order (`true`), or the others. */
  shown(keepsOrder: boolean): number;
  /** The relay begins: nobody has been shown anything. */
  begin(items: readonly LogItem[], last: number): void;
  /** What is new in the log behind all that came before. */
  take(after: number, items: readonly LogItem[]): void;
  /** Shows the others what is due. */
  release(): void;
  /** Gets back what was held when the relay went to sleep. To be awaited before any other of these, but `begin`. */
  restore(): Promise<void>;
  /** A hole nobody can fill: all go on behind `head`. */
  startAnew(head: number): void;
  /** Makes sockets those of somebody who keeps order, or does no more. */
  setKeepsOrder(sockets: readonly WebSocket[], keepsOrder: boolean): void;
}

// Only events of the room itself look like this; what people write cannot, since its quotes are escaped.
const blanking = /"event":\{"type":"(?:message_deleted|cleared|user_silenced)"/;

export function createHoldback(
  sql: SqlStorage,
  known: { readonly last: number; readonly shown: number | null } | undefined,
  ends: HoldbackEnds,
): Holdback {
  const { audience } = ends;
  let last = known?.last ?? 0;
  let shown = known?.shown ?? last;
  let queue: LogItem[] = [];
  /** Whether `shown` stands in SQLite. */
  let isNoted = known?.shown !== null && known !== undefined;

  function note(): void {
    const isBehind = shown < last;
    if (isBehind || isNoted) sql.exec('UPDATE relay SET shown = ? WHERE id = 1', isBehind ? shown : null);
    isNoted = isBehind;
  }

  function release(): void {
    const now = ends.now();
    const waiting = queue.findIndex(({ shownAtMs }) => shownAtMs > now);
    const due = queue.splice(0, waiting === -1 ? queue.length : waiting);
    const to = due.at(-1)?.seq;
    if (to !== undefined) {
      const from = shown;
      shown = to;
      note();
      audience.show(from, due, now, 'others');
    }
    const [next] = queue;
    if (next !== undefined) ends.releaseIn(Math.max(0, next.shownAtMs - now));
  }

  return {
    shown: (keepsOrder) => (keepsOrder ? last : shown),
    begin(items, to) {
      const now = ends.now();
      const waiting = items.findIndex(({ shownAtMs }) => shownAtMs > now);
      queue = waiting === -1 ? [] : items.slice(waiting);
      last = to;
      shown = queue[0] === undefined ? to : queue[0].seq - 1;
      note();
      release();
    },
    take(after, items) {
      const now = ends.now();
      last = items.at(-1)?.seq ?? after;
      if (queue.length === 0 && items.every(({ shownAtMs }) => shownAtMs <= now)) {
        shown = last;
        note();
        return audience.show(after, items, now, 'everybody');
      }
      for (const { text } of items) if (blanking.test(text)) queue = queue.map((item) => without(item, text));
      queue.push(...items);
      note();
      audience.show(after, items, now, 'keepers');
      audience.showAuthors(items.filter(({ shownAtMs }) => shownAtMs > now));
      release();
    },
    release,
    async restore() {
      if (queue.length > 0) return;
      for (let reached = shown; reached < last; ) {
        const run = await ends.read(reached, keptEvents);
        const items = run.items.filter(({ seq }) => seq <= last);
        const to = items.at(-1)?.seq;
        if (run.after === -1 || to === undefined) {
          queue = [];
          shown = last;
          note();
          return audience.tell([resyncFrame(last)], 'others');
        }
        queue.push(...items);
        reached = to;
      }
      release();
    },
    startAnew(head) {
      queue = [];
      last = head;
      shown = head;
      note();
      audience.tell([resyncFrame(head)]);
    },
    setKeepsOrder(sockets, keepsOrder) {
      for (const socket of sockets) {
        const attachment = attachmentOf(socket);
        if (attachment.keepsOrder === keepsOrder) continue;
        if (keepsOrder) {
          const from = Math.max(shown, attachment.ahead);
          const rest = queue.filter(({ seq }) => seq > from);
          if (attachment.isLive && rest.length > 0)
            sendQuietly(
              socket,
              batchFrame(
                from + 1,
                last,
                rest.map(({ text }) => text),
                [],
              ),
            );
        }
        attach(socket, { ...attachment, keepsOrder, ahead: keepsOrder ? 0 : last });
      }
    },
  };
}

/** An item as the room's log has it after this event, which takes words away. */
function without(item: LogItem, blankingText: string): LogItem {
  if (item.authorId === undefined) return item;
  const { event: cause } = JSON.parse(blankingText) as { event: ChatEvent };
  const { event, ...place } = JSON.parse(item.text) as { event: ChatEvent };
  if (event.type !== 'message') return item;
  const isMeant =
    cause.type === 'cleared' ||
    (cause.type === 'message_deleted' && cause.message_id === event.id) ||
    (cause.type === 'user_silenced' && cause.user_id === encodeId('user', item.authorId));
  if (!isMeant) return item;
  const { reply_to: _, ...rest } = event;
  return { ...item, text: JSON.stringify({ ...place, event: { ...rest, fragments: [], deleted: true } }) };
}
