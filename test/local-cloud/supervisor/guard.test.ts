import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { isRunning } from '../../support/node/processes.ts';

const root = resolve(import.meta.dirname, '../../..');
const guard = join(root, 'local-cloud', 'supervisor', 'guard.ts');

// Prints its own process id and that of a child; neither ends by itself, and the child ignores polite requests.
const program = `
  const { spawn } = require('node:child_process');
  const stubborn = "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
  const child = spawn(process.execPath, ['-e', stubborn], { stdio: 'ignore' });
  console.log(JSON.stringify([process.pid, child.pid]));
  setInterval(() => {}, 1000);`;

// Starts the program as the supervisor starts wrangler, and does nothing more.
const supervisor = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, [process.argv[1], process.execPath, '-e', process.argv[2]],
    { detached: true, stdio: ['pipe', 'inherit', 'inherit'] });
  child.once('exit', (code) => console.log(JSON.stringify({ code })));`;

let started: ChildProcess | undefined;
let members: number[] = [];

afterEach(() => {
  started?.kill('SIGKILL');
  for (const pid of members) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
});

async function start(script: string): Promise<AsyncIterator<string>> {
  started = spawn(process.execPath, ['-e', supervisor, guard, script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (started.stdout === null) throw new Error('no output');
  return createInterface({ input: started.stdout })[Symbol.asyncIterator]();
}

describe('the guard around wrangler', () => {
  it('ends everything below it when the supervisor is killed outright', async () => {
    const lines = await start(program);
    members = JSON.parse((await lines.next()).value) as number[];
    expect(members.map(isRunning)).toEqual([true, true]);
    started?.kill('SIGKILL');
    if (started !== undefined) await once(started, 'exit');
    while (members.some(isRunning)) await new Promise((done) => setTimeout(done, 50));
    expect(members.map(isRunning)).toEqual([false, false]);
  });

  it('passes the exit code of the program on', async () => {
    const lines = await start('process.exit(7)');
    expect(JSON.parse((await lines.next()).value)).toEqual({ code: 7 });
  });
});
