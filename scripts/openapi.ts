import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Writes the OpenAPI 3.1 document the Worker serves at /openapi.json, made from the same route schemas.
// Imported by address: the Worker's sources are type-checked against workerd's types, this script against Node's.
const source = (path: string): string => new URL(`../src/${path}`, import.meta.url).href;
const { createApp } = (await import(source('app.ts'))) as { createApp: () => unknown };
const { openApiDocument } = (await import(source('http/docs.ts'))) as {
  openApiDocument: (app: unknown, serverUrl: string) => { paths?: Record<string, unknown> };
};

const target = process.argv[2] ?? join(import.meta.dirname, '..', 'docs', 'generated', 'openapi.json');
const document = openApiDocument(createApp(), 'http://127.0.0.1:8787');
writeFileSync(target, `${JSON.stringify(document, null, 2)}\n`);
console.log(`${target}: ${Object.keys(document.paths ?? {}).length} paths`);
