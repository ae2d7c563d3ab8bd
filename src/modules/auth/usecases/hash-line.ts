import { unavailable } from '../../../http/errors.ts';
import { sleep } from '../../../shared/retry.ts';

const maxWaiting = 24;
const maxWaitMs = 12_000;
const pollMs = 5;
const abandonedAfterPolls = 100;
const abandonedAfterMs = 5_000;

interface Ticket {
  /** `polls` when this request last looked. */
  polledAt: number;
  /** `ended` when this request last looked. */
  sawEnded: number;
  startedAtMs: number;
}

// Plain values shared by the requests of an isolate: in workerd a request may not await a promise of another one, so each
// waits on its own timer. A cancelled request runs no `finally`, so its ticket has to be found and dropped. Time cannot tell
// who is gone, since scrypt blocks the isolate and with it every timer; how often the others looked meanwhile can; and when
// nobody looked for longer than any hash takes, the whole line is gone.
const waiting: Ticket[] = [];
const running = new Set<Ticket>();
let polls = 0;
let lastPollMs = 0;
let ended = 0;

/**
 * Runs `work` when fewer than `limit` others run in this isolate, first come first served.
 * @throws service.unavailable when the line is full or does not move.
 */
export async function inHashLine<T>(limit: number, work: () => Promise<T>): Promise<T> {
  const arrivedAtMs = Date.now();
  if (arrivedAtMs - lastPollMs > abandonedAfterMs) waiting.length = 0;
  if (waiting.length >= maxWaiting) throw overloaded();
  const ticket: Ticket = { polledAt: polls, sawEnded: ended, startedAtMs: 0 };
  waiting.push(ticket);
  lastPollMs = arrivedAtMs;
  try {
    // Always one turn of the event loop, so that who came while a hash blocked the isolate gets in line or is turned away
    // instead of piling up unseen. And one after each hash, or the waiting would hash one after the other without letting any
    // answer out or any other request in.
    await sleep(0);
    while (!isNext(ticket, limit)) {
      if (!waiting.includes(ticket) || Date.now() - arrivedAtMs > maxWaitMs) throw overloaded();
      await sleep(pollMs);
    }
  } finally {
    const index = waiting.indexOf(ticket);
    if (index >= 0) waiting.splice(index, 1);
  }
  ticket.startedAtMs = Date.now();
  running.add(ticket);
  try {
    return await work();
  } finally {
    running.delete(ticket);
    ended += 1;
  }
}

function isNext(ticket: Ticket, limit: number): boolean {
  const nowMs = Date.now();
  polls += 1;
  ticket.polledAt = polls;
  lastPollMs = nowMs;
  for (let index = waiting.length - 1; index >= 0; index -= 1)
    if (polls - (waiting[index]?.polledAt ?? 0) > abandonedAfterPolls) waiting.splice(index, 1);
  for (const other of running) if (nowMs - other.startedAtMs > abandonedAfterMs) running.delete(other);
  const rested = ticket.sawEnded === ended;
  ticket.sawEnded = ended;
  return rested && waiting[0] === ticket && running.size < limit;
}

const overloaded = () => unavailable({ headers: { 'retry-after': '5' } });
