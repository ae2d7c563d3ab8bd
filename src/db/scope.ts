import { AsyncLocalStorage } from 'node:async_hooks';

/** Who asks the database, and for what. Travels with the request so that every round trip can be counted and named. */
export interface DatabaseScope {
  readonly requestId: string;
  readonly traceparent?: string;
  readonly purpose: 'request' | 'background';
  roundTrips: number;
  onSlowQuery?: (query: { statement: string; durationMs: number }) => void;
  onRetry?: (reason: string) => void;
}

const storage = new AsyncLocalStorage<DatabaseScope>();

export const currentDatabaseScope = (): DatabaseScope | undefined => storage.getStore();

/** Runs `work` with every database round trip inside it attributed to `scope`. */
export const withDatabaseScope = <T>(scope: DatabaseScope, work: () => T): T => storage.run(scope, work);
