import { type Crowd, leaseMs, maxSocketsPerRelay } from './protocol.ts';

export interface Relay {
  readonly number: number;
  readonly sockets: number;
}

/** The relays that hold the room's sockets. */
export interface Relays {
  /**
   * The relay a new socket of this region goes to; counted there until the relay says how many it has.
   * @param seat where somebody's socket went before: there it is the same viewer, so it goes there again while there is room.
   */
  place(region: string, nowMs: number, seat?: number): number;
  /** Notes that a relay is there, with whom. */
  note(number: number, region: string, crowd: Crowd, nowMs: number): void;
  remove(number: number): void;
  live(nowMs: number): Relay[];
  /** Viewers of all of them. */
  viewers(nowMs: number): number;
  /** Sockets of the one with most. */
  fullest(nowMs: number): number;
}

/** From here on a new relay is opened beside the fullest, so that a crowd finds room. */
const openAnotherAt = 0.75 * maxSocketsPerRelay;

export function createRelays(sql: SqlStorage): Relays {
  return {
    place(region, nowMs, seat) {
      sql.exec('DELETE FROM relays WHERE seen_at_ms < ?', nowMs - leaseMs);
      if (seat !== undefined) {
        const again = sql
          .exec(
            'UPDATE relays SET sockets = sockets + 1 WHERE number = ? AND region = ? AND sockets < ? RETURNING number',
            seat,
            region,
            maxSocketsPerRelay,
          )
          .toArray();
        if (again.length > 0) return seat;
      }
      const [least] = sql
        .exec<{ number: number }>(
          'SELECT number FROM relays WHERE region = ? AND sockets < ? ORDER BY sockets, number LIMIT 1',
          region,
          openAnotherAt,
        )
        .toArray();
      const number =
        least?.number ??
        sql
          .exec<{ number: number }>(
            `SELECT min(candidate) AS number FROM (
               SELECT 0 AS candidate UNION ALL SELECT number + 1 FROM relays
             ) WHERE candidate NOT IN (SELECT number FROM relays)`,
          )
          .one().number;
      sql.exec(
        `INSERT INTO relays (number, region, sockets, seen_at_ms) VALUES (?, ?, 1, ?)
         ON CONFLICT (number) DO UPDATE SET sockets = sockets + 1`,
        number,
        region,
        nowMs,
      );
      return number;
    },
    note(number, region, { sockets, viewers }, nowMs) {
      sql.exec(
        `INSERT INTO relays (number, region, sockets, viewers, seen_at_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (number) DO UPDATE SET sockets = excluded.sockets, viewers = excluded.viewers,
           seen_at_ms = excluded.seen_at_ms`,
        number,
        region,
        sockets,
        viewers,
        nowMs,
      );
    },
    remove(number) {
      sql.exec('DELETE FROM relays WHERE number = ?', number);
    },
    viewers: (nowMs) =>
      sql
        .exec<{ viewers: number }>(
          'SELECT coalesce(sum(viewers), 0) AS viewers FROM relays WHERE seen_at_ms >= ?',
          nowMs - leaseMs,
        )
        .one().viewers,
    fullest: (nowMs) =>
      sql
        .exec<{ sockets: number }>(
          'SELECT coalesce(max(sockets), 0) AS sockets FROM relays WHERE seen_at_ms >= ?',
          nowMs - leaseMs,
        )
        .one().sockets,
    live: (nowMs) =>
      sql
        .exec<{ number: number; sockets: number }>(
          'SELECT number, sockets FROM relays WHERE seen_at_ms >= ? ORDER BY number',
          nowMs - leaseMs,
        )
        .toArray(),
  };
}
