/** What Postgres said, wherever in the chain of causes drizzle and the driver put it. */
export interface PgError {
  /** SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
  readonly code: string;
  readonly constraint: string | undefined;
}

/** No answer came from the database: the network, the proxy or the server is down, or the deadline passed. */
export class DatabaseUnreachable extends Error {
  constructor(reason: string, cause?: unknown) {
    super(`database unreachable: ${reason}`, cause === undefined ? undefined : { cause });
    this.name = 'DatabaseUnreachable';
  }
}

const maxDepth = 6;

function* causesOf(error: unknown): Generator<object> {
  let current = error;
  for (let depth = 0; depth < maxDepth && typeof current === 'object' && current !== null; depth += 1) {
    yield current;
    current =
      'sourceError' in current && current.sourceError
        ? current.sourceError
        : 'cause' in current
          ? current.cause
          : undefined;
  }
}

/** The Postgres error inside `error`, if there is one. Drizzle wraps driver errors, so `error.code` alone is not it. */
export function pgErrorOf(error: unknown): PgError | undefined {
  for (const cause of causesOf(error)) {
    if ('code' in cause && typeof cause.code === 'string' && /^[0-9A-Z]{5}$/.test(cause.code)) {
      const constraint =
        'constraint' in cause && typeof cause.constraint === 'string' ? cause.constraint : undefined;
      return { code: cause.code, constraint };
    }
  }
  return undefined;
}

/** Whether `error` violates the named constraint or unique index. */
export const violates = (error: unknown, constraint: string): boolean =>
  pgErrorOf(error)?.constraint === constraint;

// 08 connection, 53 out of resources, 57P0x shutting down, 57014 statement timeout, 55P03 lock timeout, 40001 and 40P01
// rolled back for another transaction's sake, more often than we retry.
const unavailableStates = /^(08...|53...|57P0.|57014|55P03|40001|40P01)$/;

/** Whether the database could not serve the statement, as opposed to refusing it. */
export function isDatabaseUnavailable(error: unknown): boolean {
  for (const cause of causesOf(error)) if (cause instanceof DatabaseUnreachable) return true;
  const pgError = pgErrorOf(error);
  return pgError !== undefined && unavailableStates.test(pgError.code);
}
