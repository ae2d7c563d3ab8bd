import { unavailable } from '../../../http/errors.ts';
import { sleep } from '../../../shared/retry.ts';

const maxWaiting = 32;
const maxWaitMs = 12_000;
const pollMs = 5;
const abandonedAfterMs = 5_000;

interface Ticket {
  seenAt: number;
}

// Plain values shared by the requests of an isolate. A request may not await a promise of another one in workerd, so each
// waits on its own timer; and a cancelled request runs no `finally`, so tickets nobody renews are dropped.
const waiting: Ticket[] = [];
const running = new Set<Ticket>();

/**
 * Runs `work` when fewer than `limit` others run in this isolate, first come first served.
 * @throws service.unavailable when the line is full or does not move.
 */
export async function inHashLine<T>(limit: number, work: () => Promise<T>): Promise<T> {
  dropAbandoned();
  if (waiting.length >= maxWaiting) throw overloaded();
  const arrivedAt = Date.now();
  const ticket: Ticket = { seenAt: arrivedAt };
  waiting.push(ticket);
  try {
    // Always one turn of the event loop: scrypt blocks the isolate, and this lets those who came meanwhile get in line or be
    // turned away, instead of piling up unseen.
    await sleep(0);
    while (!isNext(ticket, limit)) {
      if (!waiting.includes(ticket) || Date.now() - arrivedAt > maxWaitMs) throw overloaded();
      await sleep(pollMs);
    }
  } finally {
    const index = waiting.indexOf(ticket);
    if (index >= 0) waiting.splice(index, 1);
  }
  running.add(ticket);
  ticket.seenAt = Date.now();
  try {
    return await work();
  } finally {
    running.delete(ticket);
  }
}

function isNext(ticket: Ticket, limit: number): boolean {
  ticket.seenAt = Date.now();
  dropAbandoned();
  return waiting[0] === ticket && running.size < limit;
}

function dropAbandoned(): void {
  const oldest = Date.now() - abandonedAfterMs;
  for (const ticket of running) if (ticket.seenAt < oldest) running.delete(ticket);
  for (let index = waiting.length - 1; index >= 0; index -= 1)
    if ((waiting[index]?.seenAt ?? 0) < oldest) waiting.splice(index, 1);
}

const overloaded = () => unavailable({ headers: { 'retry-after': '5' } });
