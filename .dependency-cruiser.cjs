// The import boundaries of docs/architecture.md. Runs in `npm test`.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle means two files are one. Split out what both need.',
      severity: 'error',
      from: { path: '^(src|durable-objects|local-cloud|scripts)/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'modules-through-their-face',
      comment: 'A module is used through its index.ts (or its *.events.ts by the message union).',
      severity: 'error',
      from: { path: '^src/(?!modules/)', pathNot: '^src/db/schema\\.ts$' },
      to: { path: '^src/modules/[^/]+/', pathNot: '^src/modules/[^/]+/(index|[^/]+\\.events)\\.ts$' },
    },
    {
      name: 'modules-use-each-other-through-their-face',
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/' },
      to: { path: '^src/modules/[^/]+/', pathNot: '^src/modules/($1/|[^/]+/index\\.ts$)' },
    },
    {
      name: 'sql-in-repositories',
      comment: 'drizzle-orm belongs in *.repository.ts, *.table.ts and src/db.',
      severity: 'error',
      from: {
        path: '^(src|durable-objects)/',
        pathNot: '(\\.repository|\\.table)\\.ts$|/repository/|/tables?/|^src/db/',
      },
      to: { path: 'node_modules/(drizzle-orm|@neondatabase)' },
    },
    {
      name: 'no-node-apis-in-the-worker',
      comment: 'Only what workerd provides and src/node-compat.d.ts declares.',
      severity: 'error',
      from: { path: '^(src|durable-objects)/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|async_hooks)$' },
    },
    {
      name: 'worker-never-imports-development-code',
      severity: 'error',
      from: { path: '^(src|durable-objects)/' },
      to: { path: '^(local-cloud|scripts|bench|test)/' },
    },
    {
      name: 'vendors-only-in-integrations',
      severity: 'error',
      from: { path: '^(src|durable-objects)/', pathNot: '^src/integrations/' },
      to: { path: 'node_modules/(aws4fetch|stripe)/' },
    },
    {
      name: 'shared-knows-no-domain',
      severity: 'error',
      from: { path: '^src/shared/' },
      to: { path: '^src/(modules|http|db|jobs|integrations)/' },
    },
    {
      name: 'no-dev-dependencies-at-run-time',
      severity: 'error',
      from: { path: '^(src|durable-objects)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: { path: '^(src|durable-objects|local-cloud|scripts)/' },
      to: { couldNotResolve: true, pathNot: '^cloudflare:' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^cloudflare:' },
    parser: 'swc',
    tsPreCompilationDeps: false,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['workerd', 'import', 'default'],
    },
  },
};
