import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import type { RequestContext } from '../../../src/context.ts';
import type { AppEnv } from '../../../src/http/env.ts';
import { handleError } from '../../../src/http/handle-error.ts';
import { createLogger, type LogFields } from '../../../src/observability/logger.ts';
import { continueTrace } from '../../../src/observability/trace.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { testEnv } from './env.ts';

export interface LoggedLine extends LogFields {
  readonly event: string;
  readonly level: string;
}

/** A request context without a database, for middleware. `lines` collects what is logged. */
export function httpContext(
  overrides: Partial<RequestContext> = {},
  lines: LoggedLine[] = [],
): RequestContext {
  const context = {
    bindings: testEnv(env),
    config: {
      app: { debugErrors: false },
      auth: { issuer: 'https://api.test' },
      http: {
        cursorSecret: 'test-cursor-secret-of-good-length',
        idempotencyTtlSeconds: 3_600,
        rateLimitsEnabled: true,
        corsOrigins: ['https://app.test'],
      },
    },
    clock: systemClock,
    log: createLogger('debug', {}, (line) => lines.push(JSON.parse(line) as LoggedLine)),
    actor: { kind: 'anonymous' },
    requestId: crypto.randomUUID(),
    trace: continueTrace(undefined, undefined),
    ip: undefined,
    country: undefined,
    userAgent: undefined,
    ids: randomIds,
    background: () => undefined,
    ...overrides,
  };
  // What is left out are the database clients, which middleware must not use.
  return context as unknown as RequestContext;
}

/** An application with the real error handler whose requests get `contextOf(request)`. */
export function httpApp(contextOf: (request: Request) => RequestContext): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.onError(handleError);
  app.use(async (c, next) => {
    const context = contextOf(c.req.raw);
    c.set('ctx', { ...context, background: (task) => c.executionCtx.waitUntil(task()) });
    await next();
  });
  return app;
}

/** Sends a request through the application and waits for its background work. */
export async function send(app: Hono<AppEnv>, path: string, init: RequestInit = {}): Promise<Response> {
  const execution = createExecutionContext();
  const response = await app.request(`https://api.test${path}`, init, testEnv(env), execution);
  await waitOnExecutionContext(execution);
  return response;
}
