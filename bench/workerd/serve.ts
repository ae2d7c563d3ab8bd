import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import type { Cleanup } from '../cleanup.ts';
import { startProcess } from '../processes.ts';
import type { BenchServer } from '../servers.ts';

const startTimeoutMs = 20_000;

/** The runtime's binary, from wrangler's own dependencies: the one `wrangler dev` would run. */
export function workerdBinary(): string {
  const wrangler = createRequire(createRequire(import.meta.url).resolve('wrangler/package.json'));
  const { default: path } = wrangler('workerd') as { readonly default: string };
  return path;
}

export const workerdVersion = (): string =>
  execFileSync(workerdBinary(), ['--version'], { encoding: 'utf8' }).trim();

/** Serves a configuration file with the real runtime, without wrangler or Miniflare, and waits until it listens. */
export async function serveWorkerd(name: string, configFile: string, cleanup: Cleanup): Promise<BenchServer> {
  const started = startProcess({
    role: 'server',
    command: workerdBinary(),
    // Durable Objects on local disk are behind --experimental; --control-fd tells the port.
    args: ['serve', '--experimental', '--control-fd=3', configFile],
    stdout: 'ignore',
    extra: 'control',
  });
  cleanup.add(started.stop);
  const port = await new Promise<number>((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(new Error(`workerd (${name}) ${reason}\n${started.complaints()}`));
    const timer = setTimeout(() => fail('did not start in time'), startTimeoutMs);
    let heard = '';
    const control = started.child.stdio[3] as Readable;
    control.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
      for (const line of heard.split('\n').slice(0, -1)) {
        const event = JSON.parse(line) as {
          readonly event: string;
          readonly socket?: string;
          readonly port?: number;
        };
        if (event.event !== 'listen' || event.port === undefined) continue;
        clearTimeout(timer);
        resolve(event.port);
      }
      heard = heard.slice(heard.lastIndexOf('\n') + 1);
    });
    started.child.once('exit', () => {
      clearTimeout(timer);
      fail('ended before it listened');
    });
  });
  return { name, pid: started.pid, port, stop: started.stop, complaints: started.complaints };
}
