import { z } from 'zod';
import { integer, list, postgresUrl } from './fields.ts';
import { defineSection } from './section.ts';

export const databaseSection = defineSection('Database', {
  primaryUrl: {
    env: 'DATABASE_URL',
    schema: postgresUrl(),
    doc: 'Neon connection string of the primary, application role.',
    secret: true,
  },
  replicaUrl: {
    env: 'DATABASE_REPLICA_URL',
    schema: postgresUrl(),
    doc: 'Neon connection string of a read replica, read-only role.',
    secret: true,
  },
  shardUrls: {
    env: 'DATABASE_SHARD_URLS',
    schema: list().pipe(z.array(postgresUrl()).min(1).max(96)),
    doc: 'Comma-separated connection strings of the timeline shards, in shard order.',
    secret: true,
  },
  slotMap: {
    env: 'SHARD_SLOT_MAP',
    schema: z.string().regex(/^(\d+-\d+=\d+)(,\d+-\d+=\d+)*$/, 'must look like 0-239=0,240-479=1'),
    default: '0-239=0,240-479=1',
    doc: 'Which of the 480 logical slots live on which shard: inclusive ranges, `from-to=shard`.',
  },
  neonProxyUrl: {
    env: 'NEON_PROXY_URL',
    schema: z.union([z.literal(''), z.url({ protocol: /^https?$/ })]),
    default: '',
    doc: "Address of a Neon-compatible proxy. Empty means Neon's own, derived from the connection string.",
  },
  readPinSeconds: {
    env: 'READ_PIN_SECONDS',
    schema: integer(0, 60),
    default: '5',
    unit: 'seconds',
    doc: 'After a write, how long the writer reads from the primary instead of a replica.',
  },
  queryTimeoutMs: {
    env: 'DATABASE_QUERY_TIMEOUT_MS',
    schema: integer(100, 60_000),
    default: '8000',
    unit: 'milliseconds',
    doc: 'Deadline of one database round trip.',
  },
  slowQueryMs: {
    env: 'DATABASE_SLOW_QUERY_MS',
    schema: integer(1, 60_000),
    default: '200',
    unit: 'milliseconds',
    doc: 'Round trips at least this long are logged with their statement (never its parameters).',
  },
});
