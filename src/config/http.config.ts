import { z } from 'zod';
import { boolean, integer, list } from './fields.ts';
import { defineSection } from './section.ts';

// As browsers send it in the Origin header: scheme, host and port, no slash.
const origin = z.url({ protocol: /^https?$/ }).transform((text, context) => {
  const url = new URL(text);
  if (url.pathname + url.search + url.hash === '/') return url.origin;
  context.addIssue({ code: 'custom', message: 'must be an origin, without a path' });
  return z.NEVER;
});

export const httpSection = defineSection('HTTP', {
  corsOrigins: {
    env: 'CORS_ORIGINS',
    schema: list().pipe(z.array(z.union([z.literal('*'), origin])).max(100)),
    default: 'http://localhost:3000,http://127.0.0.1:3000',
    doc: 'Browser origins that may read answers. `*` is refused in production.',
  },
  maxBodyBytes: {
    env: 'MAX_BODY_BYTES',
    schema: integer(1_024, 10_485_760),
    default: '262144',
    unit: 'bytes',
    doc: 'Largest request body. Video bytes never pass through the API; they go to S3 by presigned parts.',
  },
  cursorSecret: {
    env: 'CURSOR_SECRET',
    schema: z.string().min(16).max(256),
    doc: 'Signs pagination cursors so that clients cannot forge positions.',
    secret: true,
  },
  idempotencyTtlSeconds: {
    env: 'IDEMPOTENCY_TTL_SECONDS',
    schema: integer(60, 604_800),
    default: '86400',
    unit: 'seconds',
    doc: 'How long the answer to a request with an `Idempotency-Key` is kept for replay.',
  },
  rateLimitsEnabled: {
    env: 'RATE_LIMITS_ENABLED',
    schema: boolean(),
    default: 'true',
    doc: 'Switches rate limiting. Refused as `false` in production.',
  },
});
