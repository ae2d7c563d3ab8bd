import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

it('the committed OpenAPI document is what the routes say (npm run openapi writes it anew)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'social-flow-openapi-'));
  try {
    const target = join(folder, 'openapi.json');
    execFileSync(process.execPath, [join(root, 'scripts', 'openapi.ts'), target], { stdio: 'pipe' });
    expect(JSON.parse(readFileSync(join(root, 'docs', 'generated', 'openapi.json'), 'utf8'))).toEqual(
      JSON.parse(readFileSync(target, 'utf8')),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
