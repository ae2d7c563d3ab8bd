import { fileURLToPath } from 'node:url';
import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';
import { testBindings } from './test/support/node/bindings.ts';

// Its package entry reaches for node:fs behind a `browser` switch that Vite turns into an import of nothing; the bundle does not.
const mediabunny = fileURLToPath(
  new URL('./node_modules/mediabunny/dist/bundles/mediabunny.mjs', import.meta.url),
);

export default defineConfig({
  test: {
    coverage: {
      provider: 'istanbul',
      include: ['src/**/*.ts', 'durable-objects/**/*.ts', 'local-cloud/**/*.ts'],
      exclude: ['**/*.d.ts', 'local-cloud/main.ts'],
      reporter: ['text-summary', 'json-summary', 'html'],
      reportsDirectory: 'coverage',
    },
    projects: [
      {
        resolve: { alias: [{ find: /^mediabunny$/, replacement: mediabunny }] },
        plugins: [
          cloudflareTest(({ inject }) => ({
            main: './src/index.ts',
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: testBindings({
                neonBridgeUrl: inject('neonBridgeUrl'),
                s3Url: inject('s3Url'),
                mediaConvertUrl: inject('mediaConvertUrl'),
                cdnUrl: inject('cdnUrl'),
                cdnSigningKeys: inject('cdnSigningKeys'),
                liveSettings: inject('liveSettings'),
                smsUrl: inject('smsUrl'),
                mailUrl: inject('mailUrl'),
                breachedPasswordsUrl: inject('breachedPasswordsUrl'),
                awsAccessKeyId: inject('awsAccessKeyId'),
                awsSecretAccessKey: inject('awsSecretAccessKey'),
                oauthSettings: inject('oauthSettings'),
              }),
            },
          })),
        ],
        test: {
          name: 'workers',
          include: ['test/{unit,api,durable-objects,jobs}/**/*.test.ts'],
          globalSetup: ['./test/support/node/global-setup.ts'],
          setupFiles: ['./test/support/worker/setup.ts'],
          // Bundles the packages the Worker uses, which every test file would otherwise load module by module.
          deps: {
            optimizer: {
              ssr: {
                enabled: true,
                include: [
                  '@hono/zod-openapi',
                  '@neondatabase/serverless',
                  '@simplewebauthn/server',
                  '@simplewebauthn/server/helpers',
                  'aws4fetch',
                  'drizzle-orm',
                  'drizzle-orm/neon-http',
                  'drizzle-orm/pg-core',
                  'fast-check',
                  'fflate',
                  'hono',
                  'hono/cookie',
                  'hono/cors',
                  'hono/http-exception',
                  'hono/route',
                  'jose',
                  'mediabunny',
                  'oauth4webapi',
                  'uqr',
                  'zod',
                ],
              },
            },
          },
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'node',
          environment: 'node',
          include: ['test/{local-cloud,contract,simulation}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          environment: 'node',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
