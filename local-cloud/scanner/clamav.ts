import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eicar } from './eicar.ts';
import { clean, found, type ScanEngine, type ScanOutcome } from './engine.ts';

const SCAN_TIMEOUT_MS = 600_000;
const LIMIT = '2000M';

type Run = { code: number; output: string };

const run = (command: string, args: readonly string[]): Promise<Run> =>
  new Promise((resolve) => {
    execFile(command, args, { timeout: SCAN_TIMEOUT_MS, maxBuffer: 1_048_576 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 2;
      resolve({ code, output: `${stdout}\n${stderr}` });
    });
  });

/** `path: Name FOUND`, one a line. 0: clean, 1: found, 2: an error (clamscan(1), RETURN CODES). */
function outcomeOf({ code, output }: Run): ScanOutcome {
  if (code === 0) return clean;
  const threats = Array.from(output.matchAll(/: (.+) FOUND$/gm), (match) => match[1] ?? '');
  if (code === 1 && threats.length > 0) return found(...new Set(threats));
  return { status: 'FAILED', threats: [], reasons: [output.trim().split('\n').at(-1)?.slice(0, 200) ?? ''] };
}

/**
 * ClamAV as it is installed: through its daemon when that runs, else one process for each file.
 * @param programs names or paths to try, in order.
 * @returns undefined when none is installed, or none finds the EICAR test file, as is the case without a virus database.
 */
export async function locateClamAv(
  programs: readonly string[] = ['clamdscan', 'clamscan'],
): Promise<ScanEngine | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'social-flow-clamav-'));
  try {
    const sample = join(folder, 'eicar.com');
    await writeFile(sample, eicar);
    for (const program of programs) {
      const scan = async (path: string) => outcomeOf(await run(program, argumentsFor(program, path)));
      if ((await scan(sample)).status !== 'THREATS_FOUND') continue;
      const version = (await run(program, ['--version'])).output.trim().split('\n')[0] ?? '';
      return { name: 'clamav', description: `${program}, ${version}`, scan };
    }
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const argumentsFor = (program: string, path: string): string[] =>
  program.includes('clamdscan')
    ? ['--no-summary', '--fdpass', path]
    : ['--no-summary', `--max-filesize=${LIMIT}`, `--max-scansize=${LIMIT}`, path];
