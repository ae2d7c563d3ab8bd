import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import { cronSchedules } from '../../src/jobs/schedules.ts';

const configPath = join(import.meta.dirname, '..', '..', 'wrangler.toml');
const environments = [undefined, 'dev', 'staging', 'production'] as const;

interface Binding {
  readonly name: string;
}

/** The parts of wrangler's configuration this contract speaks of. */
interface WranglerConfig {
  readonly durable_objects: { readonly bindings: readonly (Binding & { readonly class_name: string })[] };
  readonly queues: {
    readonly producers?: readonly { readonly binding: string; readonly queue: string }[];
    readonly consumers?: readonly { readonly queue: string; readonly dead_letter_queue?: string }[];
  };
  readonly kv_namespaces: readonly { readonly binding: string; readonly id: string }[];
  readonly ratelimits: readonly (Binding & {
    readonly namespace_id: string;
    readonly simple: { readonly limit: number; readonly period: number };
  })[];
  readonly assets?: { readonly binding?: string };
  readonly vars: Readonly<Record<string, unknown>>;
  readonly migrations: readonly {
    readonly new_sqlite_classes?: readonly string[];
    readonly new_classes?: readonly string[];
  }[];
  readonly triggers: { readonly crons?: readonly string[] };
}

const read = (env: (typeof environments)[number]): WranglerConfig =>
  unstable_readConfig({ config: configPath, ...(env === undefined ? {} : { env }) }, { hideWarnings: true });

const bindingsOf = (env: (typeof environments)[number]) => {
  const config = read(env);
  return {
    durableObjects: config.durable_objects.bindings
      .map(({ name, class_name }) => `${name}=${class_name}`)
      .sort(),
    queueProducers: (config.queues.producers ?? []).map(({ binding }) => binding).sort(),
    kv: config.kv_namespaces.map(({ binding }) => binding).sort(),
    rateLimits: config.ratelimits
      .map(({ name, simple }) => `${name} ${simple.limit}/${simple.period}`)
      .sort(),
    assets: config.assets?.binding,
    vars: Object.keys(config.vars).sort(),
  };
};

describe.each(environments.map((env) => [env ?? 'local', env] as const))('the %s environment', (_, env) => {
  it('has the same bindings as every other', () => {
    expect(bindingsOf(env)).toEqual(bindingsOf(undefined));
    expect(bindingsOf(env).durableObjects).toHaveLength(8);
  });

  it('inherits the Durable Object migrations, which make every class SQLite-backed', () => {
    const config = read(env);
    const classes = config.migrations.flatMap((migration) => migration.new_sqlite_classes ?? []);
    expect(classes.sort()).toEqual(
      config.durable_objects.bindings.map(({ class_name }) => class_name).sort(),
    );
    expect(config.migrations.some((migration) => migration.new_classes !== undefined)).toBe(false);
  });

  it('consumes every queue it produces to, and the dead letters of each', () => {
    const { queues } = read(env);
    const consumers = queues.consumers ?? [];
    for (const producer of queues.producers ?? []) {
      const consumer = consumers.find(({ queue }) => queue === producer.queue);
      expect(consumer?.dead_letter_queue).toMatch(/-dlq/);
      expect(consumers.map(({ queue }) => queue)).toContain(consumer?.dead_letter_queue);
    }
  });

  it('runs exactly the crons the Worker knows', () => {
    expect([...(read(env).triggers.crons ?? [])].sort()).toEqual([...cronSchedules].sort());
  });
});

it('declares the edge limit the Worker tells its clients', async () => {
  const source = new URL('../../src/http/rate-limit.ts', import.meta.url).href;
  const { edgeWindow } = (await import(source)) as { edgeWindow: { limit: number; periodSeconds: number } };
  for (const env of environments)
    expect(read(env).ratelimits.map(({ simple }) => simple)).toEqual([
      { limit: edgeWindow.limit, period: edgeWindow.periodSeconds },
    ]);
});

it('gives no two environments the same queue, KV namespace or rate limit namespace', () => {
  const names = environments.flatMap((env) => {
    const config = read(env);
    return [
      ...(config.queues.producers ?? []).map(({ queue }) => `queue ${queue}`),
      ...config.kv_namespaces.map(({ id }) => `kv ${id}`),
      ...config.ratelimits.map(({ namespace_id }) => `limit ${namespace_id}`),
    ];
  });
  expect(new Set(names).size).toBe(names.length);
});
