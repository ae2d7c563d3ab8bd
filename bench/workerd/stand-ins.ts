import type { CapnpValue } from './capnp.ts';

// What workerd cannot provide itself. The measured requests reach none of it but the queue, where they tell of something, and
// the edge limit when limits are on; each does the least that is still true to the binding.

const worker = (name: string, source: string, compatibilityDate: string): CapnpValue => ({
  name,
  worker: { modules: [{ name: `${name}.js`, esModule: source }], compatibilityDate },
});

/** A KV namespace that holds nothing, a queue that takes messages and delivers none, and a Cache API that never has anything. */
export const standInServices = (compatibilityDate: string): CapnpValue[] => [
  worker(
    'empty-kv',
    "export default { fetch: (request) => new Response(null, { status: request.method === 'GET' ? 404 : 200 }) };",
    compatibilityDate,
  ),
  worker(
    'queue',
    // Whoever sends waits until it is read, and is told how much waits.
    `const metadata = { metrics: { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 } };
     export default { fetch: async (request) => (await request.arrayBuffer(), Response.json({ metadata })) };`,
    compatibilityDate,
  ),
  worker(
    'empty-cache',
    "export default { fetch: (request) => new Response(null, request.method === 'GET' ? { status: 504, headers: { 'cf-cache-status': 'MISS' } } : { status: 204 }) };",
    compatibilityDate,
  ),
];

/** A rate limiting binding counts in memory at each location; this one counts in memory, and lets everything through. */
export const edgeLimitExtension: CapnpValue = {
  modules: [
    {
      name: 'bench:edge-limit',
      internal: true,
      esModule: `export default () => {
        const counts = new Map();
        return { limit: async ({ key }) => { counts.set(key, (counts.get(key) ?? 0) + 1); return { success: true }; } };
      };`,
    },
  ],
};
