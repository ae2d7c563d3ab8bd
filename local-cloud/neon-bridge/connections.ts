import { connect } from 'node:net';
import pg from 'pg';
import { connectError, sqlHttpError } from './errors.ts';
import type { Target } from './request.ts';

/** A connection lent to one request. */
export type Lease = {
  client: pg.Client;
  /** Asks the server to stop what this connection is doing; the statement then fails with SQLSTATE 57014. */
  cancel(): void;
  /** Gives the connection back; one whose state is in doubt is closed instead. */
  release(reusable: boolean): void;
};

export type Connections = {
  /** Lends a connection, waiting for a free one when limits are reached. Throws SqlHttpError. */
  acquire(target: Target, signal: AbortSignal): Promise<Lease>;
  /** Closes every connection to `database`, at once when idle, else when its request ends. */
  closeDatabase(database: string): Promise<void>;
  close(): Promise<void>;
};

type Limits = { perTarget: number; total: number; idleTimeoutMs: number; waitTimeoutMs: number };

/** Postgres here allows 200; the rest is left to tunnels, migrations and a developer's psql. */
const DEFAULT_LIMITS: Limits = { perTarget: 8, total: 120, idleTimeoutMs: 10_000, waitTimeoutMs: 30_000 };

type Pooled = {
  client: pg.Client;
  key: string;
  database: string;
  backend: { processID: number; secretKey: number } | null;
  idleTimer: NodeJS.Timeout | null;
  dead: boolean;
};

type Waiter = { key: string; target: Target; resolve(lease: Lease): void; reject(error: Error): void };

const rawTextTypes: pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text };

/**
 * Small pools of Postgres connections, one per (user, password, database), under one global limit: when it is reached, the
 * connection that has been idle longest in any pool makes room, so that hundreds of databases share a few connections.
 */
export function createConnections(
  postgres: { host: string; port: number },
  limits: Limits = DEFAULT_LIMITS,
): Connections {
  /** Every open or opening connection by pool. */
  const pools = new Map<string, Set<Pooled>>();
  /** Idle connections over all pools, longest idle first. */
  const idle = new Set<Pooled>();
  const waiters = new Set<Waiter>();
  let total = 0;
  let closed = false;

  const discard = async (pooled: Pooled): Promise<void> => {
    if (pooled.dead) return;
    pooled.dead = true;
    if (pooled.idleTimer !== null) clearTimeout(pooled.idleTimer);
    idle.delete(pooled);
    const pool = pools.get(pooled.key);
    pool?.delete(pooled);
    if (pool?.size === 0) pools.delete(pooled.key);
    total -= 1;
    dispatch();
    await pooled.client.end().catch(() => undefined);
  };

  const takeIdle = (key: string): Pooled | null => {
    for (const pooled of [...(pools.get(key) ?? [])].reverse()) {
      if (!idle.delete(pooled)) continue;
      if (pooled.idleTimer !== null) clearTimeout(pooled.idleTimer);
      pooled.idleTimer = null;
      return pooled;
    }
    return null;
  };

  const open = async (target: Target, key: string): Promise<Pooled> => {
    const client = new pg.Client({
      ...postgres,
      ...target,
      ssl: false,
      types: rawTextTypes,
      application_name: 'neon-bridge',
      connectionTimeoutMillis: 10_000,
    });
    const pooled: Pooled = {
      client,
      key,
      database: target.database,
      backend: null,
      idleTimer: null,
      dead: false,
    };
    const pool = pools.get(key) ?? new Set();
    pools.set(key, pool.add(pooled));
    total += 1;
    // Without listeners a server restart would end this process with an uncaught error.
    client.on('error', () => void discard(pooled));
    client.on('end', () => void discard(pooled));
    client.connection.once('backendKeyData', (key: { processID: number; secretKey: number }) => {
      pooled.backend = key;
    });
    try {
      await client.connect();
      return pooled;
    } catch (error) {
      void discard(pooled);
      throw connectError(error);
    }
  };

  const lend = (pooled: Pooled): Lease => ({
    client: pooled.client,
    cancel: () => {
      if (pooled.backend !== null) sendCancel(postgres, pooled.backend);
    },
    release: (reusable) => {
      if (pooled.dead) return;
      if (!reusable || closed || pooled.client.getTransactionStatus() !== 'I') {
        void discard(pooled);
        return;
      }
      idle.add(pooled);
      pooled.idleTimer = setTimeout(() => void discard(pooled), limits.idleTimeoutMs).unref();
      dispatch();
    },
  });

  let dispatching = false;
  const dispatch = (): void => {
    // Discarding a connection below asks for another dispatch; the loop that is running already serves it.
    if (dispatching) return;
    dispatching = true;
    for (const waiter of waiters) serve(waiter);
    dispatching = false;
  };

  const serve = (waiter: Waiter): void => {
    const ready = takeIdle(waiter.key);
    if (ready !== null) {
      waiters.delete(waiter);
      waiter.resolve(lend(ready));
      return;
    }
    if ((pools.get(waiter.key)?.size ?? 0) >= limits.perTarget) return;
    if (total >= limits.total) {
      const [longestIdle] = idle;
      if (longestIdle === undefined) return;
      void discard(longestIdle);
    }
    waiters.delete(waiter);
    open(waiter.target, waiter.key).then((pooled) => waiter.resolve(lend(pooled)), waiter.reject);
  };

  const acquire = (target: Target, signal: AbortSignal): Promise<Lease> =>
    new Promise((resolve, reject) => {
      let settled = false;
      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        waiters.delete(waiter);
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        return true;
      };
      const waiter: Waiter = {
        key: JSON.stringify([target.user, target.database, target.password]),
        target,
        resolve: (lease) => (settle() ? resolve(lease) : lease.release(true)),
        reject: (error) => {
          if (settle()) reject(error);
        },
      };
      const onAbort = (): void =>
        waiter.reject(sqlHttpError(400, 'Query cancelled, connection was terminated', '08P01'));
      const timer = setTimeout(
        () => waiter.reject(sqlHttpError(500, 'timed out waiting for a database connection', '53300')),
        limits.waitTimeoutMs,
      );
      if (signal.aborted) return onAbort();
      if (closed) return waiter.reject(connectError(new Error('closed')));
      signal.addEventListener('abort', onAbort);
      waiters.add(waiter);
      dispatch();
    });

  const allOpen = (): Pooled[] => [...pools.values()].flatMap((pool) => [...pool]);

  return {
    acquire,
    closeDatabase: async (database) => {
      await Promise.all(
        allOpen()
          .filter((pooled) => pooled.database === database)
          .map(discard),
      );
    },
    close: async () => {
      closed = true;
      for (const waiter of waiters) waiter.reject(connectError(new Error('closed')));
      await Promise.all(allOpen().map(discard));
    },
  };
}

/** Sends a CancelRequest on a connection of its own (PostgreSQL protocol, section 54.2.9). */
function sendCancel(
  postgres: { host: string; port: number },
  backend: { processID: number; secretKey: number },
): void {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(80877102, 4);
  message.writeInt32BE(backend.processID, 8);
  message.writeInt32BE(backend.secretKey, 12);
  const socket = connect(postgres.port, postgres.host, () => socket.end(message));
  socket.on('error', () => socket.destroy());
  socket.resume();
}
