import { readFileSync } from 'node:fs';

/** Whether a process runs. One that has ended but that nobody has asked after yet does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // After the name in parentheses, which may hold anything (proc_pid_stat(5)).
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim()[0] !== 'Z';
  } catch {
    // No /proc here, or the process ended meanwhile.
    return process.platform !== 'linux';
  }
}
