import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const isLinux = process.platform === 'linux';

let ticksPerSecond: number | undefined;
const ticks = (): number => {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticksPerSecond;
};

/** CPU seconds (user and system) a process has used since it started. @throws Error when it is gone. */
export function cpuSecondsOf(pid: number): number {
  if (isLinux) return statOf(pid).own / ticks();
  return secondsOf(execFileSync('ps', ['-o', 'cputime=', '-p', String(pid)], { encoding: 'utf8' }));
}

/** CPU seconds a process and the children it has waited for have used (Linux; elsewhere without the children). */
export function cpuSecondsWithEnded(pid: number): number {
  if (!isLinux) return cpuSecondsOf(pid);
  const { own, reaped } = statOf(pid);
  return (own + reaped) / ticks();
}

/** CPU seconds all processes of the machine have used, and its hypervisor has taken away; undefined where it does not tell. */
export function cpuSecondsOfMachine(): number | undefined {
  if (!isLinux) return undefined;
  // proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = readFileSync(
    '/proc/stat',
    'utf8',
  )
    .slice('cpu '.length, 1_000)
    .trim()
    .split(/\s+/, 8)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) / ticks();
}

/**
 * CPU seconds of a process and of all its children, those that have ended and were waited for included (on Linux; elsewhere
 * only the living).
 */
export function cpuSecondsOfFamily(pid: number): number {
  if (isLinux) {
    const parent = statOf(pid);
    let sum = parent.own + parent.reaped;
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const child = statOf(Number(entry));
        if (child.parent === pid) sum += child.own + child.reaped;
      } catch {
        // Ended while we looked; then it is among the parent's reaped.
      }
    }
    return sum / ticks();
  }
  const table = execFileSync('ps', ['-ax', '-o', 'pid=,ppid=,cputime='], { encoding: 'utf8' });
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([own, parent]) => own === String(pid) || parent === String(pid))
    .reduce((sum, [, , time = '0']) => sum + secondsOf(time), 0);
}

/** Resident memory of a process in MiB. */
export function residentMib(pid: number): number {
  const kib = isLinux
    ? /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Number(kib) / 1_024;
}

// proc_pid_stat(5): the name in field 2 may hold spaces and parentheses, so fields are counted from the last one.
function statOf(pid: number): { readonly parent: number; readonly own: number; readonly reaped: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (position: number): number => Number(fields[position - 3]);
  return { parent: field(4), own: field(14) + field(15), reaped: field(16) + field(17) };
}

/** Seconds of `ps`'s `[[dd-]hh:]mm:ss[.cc]`. */
function secondsOf(text: string): number {
  const [days, clock] = text.trim().includes('-') ? text.trim().split('-') : ['0', text.trim()];
  const parts = (clock ?? '').split(':').map(Number);
  return Number(days) * 86_400 + parts.reduce((sum, part) => sum * 60 + part, 0);
}
