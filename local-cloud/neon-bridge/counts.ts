/**
 * What one Worker request cost in database trips. `roundTrips` and `statements` count work the caller waited for,
 * `background` counts trips marked `x-db-purpose: background`.
 */
export type TripCounts = { roundTrips: number; background: number; statements: number };

export type TripCounter = {
  record(requestId: string | undefined, purpose: string | undefined, statements: number): void;
  /** Counts of one request id, or of everything since the last reset. */
  read(requestId?: string): TripCounts;
  reset(): void;
};

/** Counts round trips per request id; only the `maxRequestIds` most recently active ids are remembered. */
export function createTripCounter(maxRequestIds = 10_000): TripCounter {
  const byRequest = new Map<string, TripCounts>();
  let all = emptyCounts();

  return {
    record: (requestId, purpose, statements) => {
      addTrip(all, purpose, statements);
      if (requestId === undefined || requestId === '') return;
      const counts = byRequest.get(requestId) ?? emptyCounts();
      addTrip(counts, purpose, statements);
      byRequest.delete(requestId);
      byRequest.set(requestId, counts);
      const [oldest] = byRequest.keys();
      if (byRequest.size > maxRequestIds && oldest !== undefined) byRequest.delete(oldest);
    },
    read: (requestId) => ({
      ...(requestId === undefined ? all : (byRequest.get(requestId) ?? emptyCounts())),
    }),
    reset: () => {
      byRequest.clear();
      all = emptyCounts();
    },
  };
}

function emptyCounts(): TripCounts {
  return { roundTrips: 0, background: 0, statements: 0 };
}

function addTrip(counts: TripCounts, purpose: string | undefined, statements: number): void {
  if (purpose === 'background') {
    counts.background += 1;
    return;
  }
  counts.roundTrips += 1;
  counts.statements += statements;
}
