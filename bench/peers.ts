import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.ts';
import type { PeerSpec } from './peers/spec.ts';
import { startProcess } from './processes.ts';
import type { BenchServer } from './servers.ts';
import type { Settings } from './settings.ts';
import { appConfig, bareConfig } from './workerd/config.ts';
import { serveWorkerd } from './workerd/serve.ts';

const startTimeoutMs = 20_000;

export interface Workshop {
  readonly root: string;
  /** A folder for files of this run. */
  readonly directory: string;
  readonly cleanup: Cleanup;
}

/** Serves our Worker with these settings; `name` may occur once. */
export function serveApp(
  { root, directory, cleanup }: Workshop,
  name: string,
  bundle: string,
  settings: Settings,
): Promise<BenchServer> {
  const home = join(directory, name.replaceAll(/\W+/g, '-'));
  const objectsDirectory = join(home, 'objects');
  mkdirSync(objectsDirectory, { recursive: true });
  copyFileSync(bundle, join(home, 'worker.js'));
  const config = appConfig({ root, bundleFile: 'worker.js', settings, objectsDirectory });
  const file = join(home, 'config.capnp');
  writeFileSync(file, config, { mode: 0o600 });
  return serveWorkerd(name, file, cleanup);
}

/** Serves the bare Worker with bodies as large as ours. */
export function serveBare(
  { root, directory, cleanup }: Workshop,
  bodies: Readonly<Record<string, string>>,
  script = join(import.meta.dirname, 'peers', 'bare-worker.js'),
): Promise<BenchServer> {
  copyFileSync(script, join(directory, 'bare-worker.js'));
  const file = join(directory, 'bare.capnp');
  writeFileSync(file, bareConfig(root, 'bare-worker.js', bodies));
  return serveWorkerd('bare', file, cleanup);
}

/** Starts the Node peer in one process. */
export async function serveHonoNode(workshop: Workshop, spec: PeerSpec): Promise<BenchServer> {
  const specFile = join(workshop.directory, 'hono-node.json');
  writeFileSync(specFile, JSON.stringify(spec), { mode: 0o600 });
  return serveNodeScript(workshop, 'hono-node', join(import.meta.dirname, 'peers', 'hono-node.ts'), {
    args: [specFile],
  });
}

/** Starts a Node program that tells its port over IPC. */
export async function serveNodeScript(
  { cleanup }: Workshop,
  name: string,
  script: string,
  options: { readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<BenchServer> {
  const started = startProcess({
    role: 'server',
    command: process.execPath,
    args: [script, ...(options.args ?? [])],
    env: { NODE_ENV: 'production', ...options.env },
    stdout: 'ignore',
    extra: 'ipc',
  });
  cleanup.add(started.stop);
  const port = await new Promise<number>((resolve, reject) => {
    const fail = (reason: string): void => reject(new Error(`${name} ${reason}\n${started.complaints()}`));
    const timer = setTimeout(() => fail('did not start in time'), startTimeoutMs);
    started.child.once('message', (message) => {
      clearTimeout(timer);
      resolve((message as { readonly port: number }).port);
    });
    started.child.once('exit', () => {
      clearTimeout(timer);
      fail('ended before it listened');
    });
  });
  return { name, pid: started.pid, port, stop: started.stop, complaints: started.complaints };
}
