import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../src/app.ts';
import { openApiDocument } from '../src/http/docs.ts';

// Writes the OpenAPI 3.1 document the Worker serves at /openapi.json, made from the same route schemas.
const target = process.argv[2] ?? join(import.meta.dirname, '..', 'docs', 'generated', 'openapi.json');
const document = openApiDocument(createApp(), 'http://127.0.0.1:8787');
writeFileSync(target, `${JSON.stringify(document, null, 2)}\n`);
console.log(`${target}: ${Object.keys(document.paths ?? {}).length} paths`);
