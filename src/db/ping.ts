import { sql } from 'drizzle-orm';
import { withinDeadline } from '../shared/deadline.ts';
import type { Databases } from './client.ts';
import { connectionHealth } from './transport.ts';

/** Asks every database for `SELECT 1` at once, each within the deadline. */
export const pingAll = (databases: Databases, deadlineMs: number) =>
  Promise.all(
    databases.all.map(async ({ role, name, db }) => {
      const answer = await withinDeadline(db.execute(sql`SELECT 1`), deadlineMs);
      return {
        role,
        up: answer !== undefined,
        consecutiveFailures: connectionHealth(name).consecutiveFailures,
      };
    }),
  );
