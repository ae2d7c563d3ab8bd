import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'vitest';

const script = join(import.meta.dirname, '..', '..', 'scripts', 'authorisation-docs.ts');

it('docs/security/authorisation.md is what the table of policies says (npm run docs:authorisation writes it anew)', () => {
  execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' });
});
