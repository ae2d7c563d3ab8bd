import { type SqlHttpError, sqlHttpError } from './errors.ts';
import { isObject } from './request.ts';

/**
 * An injected failure. `down` behaves as an unreachable database, `error` answers a SQLSTATE, `none` only delays.
 * `when: 'after'` runs the statements first and then loses their result, as a broken connection would.
 */
export type FaultOrder = {
  mode: 'none' | 'down' | 'error';
  /** How many requests it hits; without it, all until the next order. */
  count?: number;
  /** How many requests it lets through first; default none. */
  skip?: number;
  /** SQLSTATE for `error`; default 40001. */
  sqlstate?: string;
  delayMs?: number;
  when?: 'before' | 'after';
  /** Only requests to this database are hit, so that other test files are left alone. */
  database?: string;
};

export type Faults = {
  /** What should happen to the next request to `database`, after its delay; null when nothing should. */
  take(database: string): Promise<{ error: SqlHttpError; when: 'before' | 'after' } | null>;
  /** True when connections that name no database yet (tunnels) are to be refused. */
  refusesTunnels(): boolean;
  set(order: FaultOrder): void;
  clear(): void;
};

const EVERY_DATABASE = Symbol('every database');

export function createFaults(): Faults {
  const orders = new Map<string | symbol, FaultOrder & { left: number; toSkip: number }>();
  return {
    take: async (database) => {
      const key = orders.has(database) ? database : EVERY_DATABASE;
      const order = orders.get(key);
      if (order === undefined) return null;
      if (order.toSkip > 0) {
        order.toSkip -= 1;
        return null;
      }
      order.left -= 1;
      if (order.left <= 0) orders.delete(key);
      if (order.delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, order.delayMs));
      if (order.mode === 'none') return null;
      return { error: faultError(order), when: order.when ?? 'before' };
    },
    refusesTunnels: () => orders.get(EVERY_DATABASE)?.mode === 'down',
    set: (order) => {
      const key = order.database ?? EVERY_DATABASE;
      if (order.mode === 'none' && order.delayMs === undefined) orders.delete(key);
      else
        orders.set(key, { ...order, left: order.count ?? Number.POSITIVE_INFINITY, toSkip: order.skip ?? 0 });
    },
    clear: () => orders.clear(),
  };
}

function faultError(order: FaultOrder): SqlHttpError {
  if (order.mode === 'down') return sqlHttpError(500, "Couldn't connect to compute node");
  const sqlstate = order.sqlstate ?? '40001';
  const error = sqlHttpError(400, `injected fault ${sqlstate}`, sqlstate);
  error.body.severity = 'ERROR';
  return error;
}

/** Reads a fault order from request JSON; a string is the reason it is not one. */
export function parseFaultOrder(value: unknown): FaultOrder | string {
  if (!isObject(value)) return 'expected an object';
  const { mode, count, skip, sqlstate, delayMs, when, database, ...unknown } = value;
  if (Object.keys(unknown).length > 0) return `unknown field ${Object.keys(unknown)[0]}`;
  if (mode !== 'none' && mode !== 'down' && mode !== 'error') return 'mode must be none, down or error';
  if (count !== undefined && !isWholeNumber(count, 1, 1_000_000)) return 'count must be a positive integer';
  if (skip !== undefined && !isWholeNumber(skip, 0, 1_000_000)) return 'skip must be 0 or more';
  if (sqlstate !== undefined && !(typeof sqlstate === 'string' && /^[0-9A-Z]{5}$/.test(sqlstate))) {
    return 'sqlstate must be five digits or capital letters';
  }
  if (delayMs !== undefined && !isWholeNumber(delayMs, 0, 600_000)) return 'delayMs must be 0 to 600000';
  if (when !== undefined && when !== 'before' && when !== 'after') return 'when must be before or after';
  if (database !== undefined && typeof database !== 'string') return 'database must be a string';
  return {
    mode,
    ...(count === undefined ? {} : { count }),
    ...(skip === undefined ? {} : { skip }),
    ...(sqlstate === undefined ? {} : { sqlstate }),
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(when === undefined ? {} : { when }),
    ...(database === undefined ? {} : { database }),
  };
}

function isWholeNumber(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}
