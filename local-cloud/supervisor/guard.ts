import { spawn } from 'node:child_process';
import { constants } from 'node:os';

// Runs a program and ends it, with everything it started, when whoever started this is gone: even killed outright, its end
// of our standard input closes. Must lead a process group of its own. Usage: node guard.ts PROGRAM [ARGUMENT...]

const [program = '', ...programArguments] = process.argv.slice(2);
const child = spawn(program, programArguments, { stdio: ['ignore', 'inherit', 'inherit'] });

child.once('error', (error) => {
  console.error(error.message);
  process.exit(127);
});
child.once('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM']));

// The group is signalled as a whole; this waits for the program to end in its own time.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

process.stdin.on('error', endGroup).on('end', endGroup).resume();

function endGroup(): void {
  process.kill(-process.pid, 'SIGTERM');
  setTimeout(() => process.kill(-process.pid, 'SIGKILL'), 3_000);
}
