import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file only its owner may read, whole or not at all. */
export function writePrivateFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}

/** Settings in dotenv form; values are JSON-safe single-quoted, since they contain no quotes themselves. */
export const dotenv = (comment: string, settings: Readonly<Record<string, string>>): string =>
  `# ${comment}\n${Object.entries(settings)
    .map(([name, value]) => `${name}='${value}'`)
    .join('\n')}\n`;
