import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A live process as the operating system describes it. `startedAt` is an opaque identity that survives pid reuse. */
export type ProcessDescription = { startedAt: string; command: string };

/** Describes process `pid`, or null when it does not exist or is only a zombie. Reads /proc where there is one, else `ps`. */
export function describeProcess(pid: number): ProcessDescription | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  return describeFromProc(pid) ?? describeFromPs(pid);
}

function describeFromProc(pid: number): ProcessDescription | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    const startTicks = fields[19];
    if (state === 'Z' || state === 'X' || startTicks === undefined) return null;
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { startedAt: `${bootId}:${startTicks}`, command };
  } catch {
    return null;
  }
}

function describeFromPs(pid: number): ProcessDescription | null {
  if (process.platform === 'linux') return null;
  try {
    const ps = (format: string): string =>
      execFileSync('ps', ['-ww', '-o', format, '-p', String(pid)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, LC_ALL: 'C' },
      }).trim();
    const state = ps('stat=');
    if (state === '' || state.startsWith('Z')) return null;
    return { startedAt: ps('lstart='), command: ps('args=') };
  } catch {
    return null;
  }
}

/** Resolves true once `pid` is gone, false when it is still there after `timeoutMs`. */
export async function waitForExit(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (describeProcess(pid) !== null) {
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}
