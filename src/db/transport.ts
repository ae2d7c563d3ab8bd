import { backoffMs, createRetryBudget, sleep } from '../shared/retry.ts';
import { DatabaseUnreachable } from './errors.ts';
import { currentDatabaseScope } from './scope.ts';

export interface TransportOptions {
  readonly queryTimeoutMs: number;
  readonly slowQueryMs: number;
}

/** How a connection has fared lately in this isolate; shown by the readiness endpoint. */
export interface ConnectionHealth {
  consecutiveFailures: number;
  lastSuccessAt: number | undefined;
  lastFailureAt: number | undefined;
}

const maxAttempts = 3;
const budget = createRetryBudget();
const healthByHost = new Map<string, ConnectionHealth>();

/** Health of the connection to `host/database`, as seen by this isolate. */
export const connectionHealth = (connection: string): ConnectionHealth => {
  let health = healthByHost.get(connection);
  if (health === undefined) {
    health = { consecutiveFailures: 0, lastSuccessAt: undefined, lastFailureAt: undefined };
    healthByHost.set(connection, health);
  }
  return health;
};

export const connectionNameOf = (connectionString: string): string => {
  const url = new URL(connectionString);
  return `${url.hostname}${url.pathname}`;
};

// These roll the whole statement or batch back, so running it again cannot do it twice.
const rolledBackStates = new Set(['40001', '40P01']);
// The server refused before it ran anything.
const refusedStates = new Set(['53300', '57P03']);

interface NeonBody {
  readonly query?: string;
  readonly queries?: readonly { readonly query: string }[];
}

/**
 * The `fetch` under the Neon HTTP driver: a deadline for each round trip, attribution to the request, health, a log line
 * for slow statements, and retries of what is certain not to have happened (serialisation failures, refused connections)
 * or does no harm twice (plain reads).
 */
export function createTransport(
  options: TransportOptions,
): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    budget.earn();
    const scope = currentDatabaseScope();
    const headers = new Headers(init.headers);
    if (scope !== undefined) {
      headers.set('x-request-id', scope.requestId);
      headers.set('x-db-purpose', scope.purpose);
      if (scope.traceparent !== undefined) headers.set('traceparent', scope.traceparent);
    }
    const health = connectionHealth(
      connectionNameOf(headers.get('Neon-Connection-String') ?? 'postgres://unknown/unknown'),
    );

    for (let attempt = 1; ; attempt += 1) {
      if (scope !== undefined) scope.roundTrips += 1;
      const startedAt = Date.now();
      const outcome = await exchange(url, { ...init, headers }, options.queryTimeoutMs);
      const durationMs = Date.now() - startedAt;
      if (durationMs >= options.slowQueryMs)
        scope?.onSlowQuery?.({ statement: statementsOf(init.body).join('; ').slice(0, 500), durationMs });

      if (outcome.kind === 'answer') {
        health.consecutiveFailures = 0;
        health.lastSuccessAt = startedAt;
        return outcome.response;
      }
      health.consecutiveFailures += outcome.kind === 'unreachable' ? 1 : 0;
      health.lastFailureAt = startedAt;
      const safe =
        headers.get('Neon-Batch-Read-Only') === 'true' ||
        isPlainRead(init.body) ||
        (outcome.kind === 'sqlstate' &&
          (rolledBackStates.has(outcome.code) || refusedStates.has(outcome.code)));
      if (!safe || attempt >= maxAttempts || !budget.spend()) {
        if (outcome.kind === 'sqlstate') return outcome.response;
        throw outcome.error;
      }
      scope?.onRetry?.(outcome.kind === 'sqlstate' ? outcome.code : 'unreachable');
      await sleep(backoffMs(attempt));
    }
  };
}

type Outcome =
  | { readonly kind: 'answer'; readonly response: Response }
  | { readonly kind: 'sqlstate'; readonly code: string; readonly response: Response }
  | { readonly kind: 'unreachable'; readonly error: DatabaseUnreachable };

async function exchange(url: string, init: RequestInit, timeoutMs: number): Promise<Outcome> {
  let status: number;
  let body: ArrayBuffer;
  // Not AbortSignal.timeout(): its timer goes on after the answer, and keeps a Durable Object that asked from sleeping.
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DOMException('timed out', 'TimeoutError')), timeoutMs);
  try {
    const response = await fetch(url, { ...init, signal: deadline.signal });
    status = response.status;
    // To the end, under the deadline: an answer that breaks off is none.
    body = await response.arrayBuffer();
  } catch (error) {
    return { kind: 'unreachable', error: new DatabaseUnreachable('no answer', error) };
  } finally {
    clearTimeout(timer);
  }
  const response = new Response(body, { status });
  if (response.ok) return { kind: 'answer', response };
  const code = sqlstateOf(new TextDecoder().decode(body));
  if (status === 400 && code !== undefined) {
    const transient = rolledBackStates.has(code) || refusedStates.has(code);
    return transient ? { kind: 'sqlstate', code, response } : { kind: 'answer', response };
  }
  return { kind: 'unreachable', error: new DatabaseUnreachable(`proxy answered ${status}`) };
}

function sqlstateOf(text: string): string | undefined {
  try {
    const body = JSON.parse(text) as { code?: unknown };
    return typeof body.code === 'string' && /^[0-9A-Z]{5}$/.test(body.code) ? body.code : undefined;
  } catch {
    return undefined;
  }
}

function statementsOf(body: unknown): readonly string[] {
  if (typeof body !== 'string') return [];
  const parsed = JSON.parse(body) as NeonBody;
  return parsed.queries?.map((query) => query.query) ?? [parsed.query ?? ''];
}

// Our volatile functions are named `do_...`, so a SELECT that neither locks rows nor calls one only reads. A batch reads
// only when all of its statements do.
function isPlainRead(body: unknown): boolean {
  const statements = statementsOf(body);
  return statements.length > 0 && statements.every(readsOnly);
}

const readsOnly = (statement: string): boolean =>
  /^\s*select\b/i.test(statement) && !/\bfor (update|share|no key update)\b|\bdo_\w+\(/i.test(statement);
