import { cors } from 'hono/cors';
import type { AppMiddleware } from './env.ts';

const exposed = [
  'ETag', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-Request-Id', 'X-Read-Pin', 'Idempotency-Replayed', 'Location', 'traceparent',
]; // biome-ignore format: one list
const allowed = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-None-Match',
  'If-Match',
  'X-Auth-Mode',
  'X-Read-Pin',
  'X-Request-Id',
  'traceparent',
  'tracestate',
];

/** CORS for the configured origins only: the origin is never reflected unless it is on the list, nor are cookies allowed. */
export function corsByConfig(): AppMiddleware {
  return (c, next) => {
    const { corsOrigins } = c.var.ctx.config.http;
    const listed = !corsOrigins.includes('*') && corsOrigins.includes(c.req.header('origin') ?? '');
    return cors({
      credentials: listed,
      origin: (origin) => (corsOrigins.includes('*') ? '*' : corsOrigins.includes(origin) ? origin : null),
      allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowHeaders: allowed,
      exposeHeaders: exposed,
      maxAge: 7200,
    })(c, next);
  };
}
