import { type RequestContext, type Services, servicesOf } from '../context.ts';
import { readPinOf } from '../db/read-pin.ts';
import { type DatabaseScope, withDatabaseScope } from '../db/scope.ts';
import { reportCaches } from '../observability/cache-report.ts';
import { continueTrace, traceparentOf } from '../observability/trace.ts';
import { randomIds } from '../shared/ids.ts';
import type { AppContext, AppMiddleware } from './env.ts';
import { networkOf } from './rate-limit/ip.ts';
import { viewerIdOf } from './viewer.ts';

const acceptedRequestId = /^[A-Za-z0-9_-]{8,64}$/;

/** Gives the request its id, trace, address, database scope and context, and writes the one log line about it. */
export function requestContext(): AppMiddleware {
  return async (c, next) => {
    const startedAt = Date.now();
    const services = servicesOf(c.env);
    const ctx = createRequestContext(services, c);
    c.set('ctx', ctx);
    const scope = databaseScope(ctx, 'request');

    await withDatabaseScope(scope, next);

    c.res.headers.set('x-request-id', ctx.requestId);
    c.res.headers.set('traceparent', traceparentOf(ctx.trace));
    const { actor } = c.var.ctx;
    ctx.log.log(c.res.status >= 500 ? 'error' : 'info', 'request.completed', {
      method: c.req.method,
      route: c.req.routePath,
      path: c.req.path,
      status: c.res.status,
      duration_ms: Date.now() - startedAt,
      db_round_trips: scope.roundTrips,
      actor: actor.kind,
      user_id: viewerIdOf({ actor }),
      key_id: actor.kind === 'api_key' ? actor.keyId : undefined,
      error_code: c.res.status >= 400 ? (c.res.headers.get('x-error-code') ?? undefined) : undefined,
      country: ctx.country,
      user_agent: ctx.userAgent,
    });
    c.res.headers.delete('x-error-code');
    reportCaches(ctx.log, services.clock.now());
  };
}

/** A database scope that writes slow and retried statements to the log of `ctx`. */
export function databaseScope(
  ctx: Pick<RequestContext, 'requestId' | 'trace' | 'log'>,
  purpose: DatabaseScope['purpose'],
): DatabaseScope {
  // Not `ctx` itself: it reaches the response, and workerd never frees a response that the async scope it was made in reaches.
  const { log } = ctx;
  return {
    requestId: ctx.requestId,
    traceparent: traceparentOf(ctx.trace),
    purpose,
    roundTrips: 0,
    onSlowQuery: ({ statement, durationMs }) =>
      log.log('warn', 'database.slow_query', { statement, duration_ms: durationMs }),
    onRetry: (reason) => log.log('warn', 'database.retried', { reason }),
  };
}

// Postgres' inet takes what this lets through. Outside Cloudflare's network anybody may write anything into the header.
const addressOf = (field: string | undefined): string | undefined =>
  field === undefined || field.includes('%') || networkOf(field) === undefined ? undefined : field;

function createRequestContext(services: Services, c: AppContext): RequestContext {
  const { req } = c;
  const given = req.header('x-request-id');
  const requestId = given !== undefined && acceptedRequestId.test(given) ? given : crypto.randomUUID();
  const trace = continueTrace(req.header('traceparent'), req.header('tracestate'));
  const cf = req.raw.cf as { country?: unknown } | undefined;
  const pinned = readPinOf(req.header('x-read-pin'), req.header('cookie'), services.clock.now());
  const log = services.log.with({ request_id: requestId, trace_id: trace.traceId, span_id: trace.spanId });
  const context: RequestContext = {
    ...services,
    log,
    actor: { kind: 'anonymous' },
    requestId,
    trace,
    ip: addressOf(req.header('cf-connecting-ip')),
    country: typeof cf?.country === 'string' && /^[A-Z0-9]{2}$/.test(cf.country) ? cf.country : undefined,
    // Cut through a character it would be text that Postgres and its proxy refuse.
    userAgent: req.header('user-agent')?.slice(0, 400).toWellFormed(),
    ids: randomIds,
    readDb: pinned ? services.databases.primary : services.databases.replica,
    background: (task) =>
      c.executionCtx.waitUntil(
        withDatabaseScope(databaseScope(context, 'background'), async () => {
          await task();
        }).catch((error: unknown) =>
          log.log('error', 'background.failed', {
            error_name: error instanceof Error ? error.name : 'unknown',
          }),
        ),
      ),
  };
  return context;
}
