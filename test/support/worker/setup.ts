import { env } from 'cloudflare:workers';
import { afterAll, inject } from 'vitest';
import { sections } from '../../../src/config/index.ts';
import { recordingQueue } from './recording-queue.ts';

interface TestDatabase {
  readonly name: string;
  readonly app: string;
  readonly replica: string;
}

const bridgeUrl = inject('neonBridgeUrl');

// A developer's .dev.vars is loaded too; what the tests do not set themselves must be the default.
const bindings = env as unknown as Record<string, unknown>;
const ours = new Set(String(bindings.TEST_SETTINGS).split(','));
for (const section of Object.values(sections))
  for (const setting of Object.values(section.settings))
    if (!ours.has(setting.env)) delete bindings[setting.env];

// Each test file works in databases of its own, cloned from the migrated templates.
const clone = async (template: 'primary' | 'shard'): Promise<TestDatabase> => {
  const response = await fetch(`${bridgeUrl}/databases`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ template }),
  });
  if (!response.ok) throw new Error(`could not clone a ${template} database: ${await response.text()}`);
  return response.json();
};

const primary = await clone('primary');
const shards = [await clone('shard'), await clone('shard')];

Object.assign(env, {
  DATABASE_URL: primary.app,
  DATABASE_REPLICA_URL: primary.replica,
  DATABASE_SHARD_URLS: shards.map((shard) => shard.app).join(','),
  EVENTS_QUEUE: recordingQueue('social-flow-events'),
  MEDIA_QUEUE: recordingQueue('social-flow-media'),
  WEBHOOKS_QUEUE: recordingQueue('social-flow-webhooks'),
});

afterAll(async () => {
  for (const database of [primary, ...shards])
    await fetch(`${bridgeUrl}/databases/${database.name}`, { method: 'DELETE' });
});
