import { readFileSync, writeFileSync } from 'node:fs';
import { describeProcess } from '../postgres/processes.ts';

/** Writes down which process works here, in a way that survives the reuse of its number. */
export function noteProcess(file: string, pid: number | undefined): void {
  const description = pid === undefined ? null : describeProcess(pid);
  if (description) writeFileSync(file, JSON.stringify({ pid, startedAt: description.startedAt }));
}

/**
 * Kills the process that an earlier run noted in `file` and, having been killed itself, left running. True when there
 * was one.
 */
export function killLeftover(file: string): boolean {
  try {
    const { pid, startedAt } = JSON.parse(readFileSync(file, 'utf8'));
    if (describeProcess(pid)?.startedAt !== startedAt) return false;
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
