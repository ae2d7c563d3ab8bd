import type { PartUrl, SentPart } from './api.ts';

/** Which parts are there, on their way, and left. Numbers begin at 1. */
export function createPartQueue(size: number, partBytes: number, partCount: number) {
  const sent = new Map<number, string>();
  const inFlight = new Map<number, number>();
  const urls = new Map<number, PartUrl>();
  const waiting: number[] = Array.from({ length: partCount }, (_, index) => index + 1);

  const bytesOf = (partNumber: number): number =>
    partNumber === partCount ? size - partBytes * (partCount - 1) : partBytes;

  return {
    partCount,
    /** Parts the server has; everything else is to be sent, also what was thought to be there. */
    setHeld(held: readonly SentPart[]): void {
      sent.clear();
      for (const { part_number, etag } of held) sent.set(part_number, etag);
      waiting.length = 0;
      for (let number = 1; number <= partCount; number += 1)
        if (!sent.has(number) && !inFlight.has(number)) waiting.push(number);
    },
    take(): number | undefined {
      const next = waiting.shift();
      if (next !== undefined) inFlight.set(next, 0);
      return next;
    },
    /** The next parts in line, for which addresses are asked together. */
    next: (count: number): readonly number[] => waiting.slice(0, count),
    putBack(partNumber: number): void {
      inFlight.delete(partNumber);
      if (!sent.has(partNumber) && !waiting.includes(partNumber)) waiting.unshift(partNumber);
    },
    finish(partNumber: number, etag: string): void {
      inFlight.delete(partNumber);
      sent.set(partNumber, etag);
      urls.delete(partNumber);
    },
    noteSent(partNumber: number, bytes: number): void {
      if (inFlight.has(partNumber)) inFlight.set(partNumber, Math.min(bytes, bytesOf(partNumber)));
    },
    keepUrls(parts: readonly PartUrl[]): void {
      for (const part of parts) urls.set(part.part_number, part);
    },
    /** An address that is good for another `marginMs`; once, since a second try gets a fresh one. */
    takeUrl(partNumber: number, nowMs: number, marginMs: number): PartUrl | undefined {
      const url = urls.get(partNumber);
      urls.delete(partNumber);
      return url !== undefined && Date.parse(url.expires_at) - nowMs > marginMs ? url : undefined;
    },
    rangeOf(partNumber: number): { readonly start: number; readonly end: number } {
      const start = (partNumber - 1) * partBytes;
      return { start, end: start + bytesOf(partNumber) };
    },
    isDone: (): boolean => sent.size === partCount,
    bytesSent(): number {
      let bytes = 0;
      for (const partNumber of sent.keys()) bytes += bytesOf(partNumber);
      for (const part of inFlight.values()) bytes += part;
      return bytes;
    },
    sentParts: (): SentPart[] =>
      [...sent].sort(([a], [b]) => a - b).map(([part_number, etag]) => ({ part_number, etag })),
  };
}

export type PartQueue = ReturnType<typeof createPartQueue>;
