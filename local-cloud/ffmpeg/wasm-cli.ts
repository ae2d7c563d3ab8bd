/**
 * `node wasm-cli.ts <ffmpeg arguments>`: the WebAssembly build of ffmpeg behaving like the native command, with the
 * same arguments, output streams, working directory and exit code. It runs in a process of its own, so that it can
 * be killed and its memory is given back.
 */
import { readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createDiskFileSystem, type EmscriptenFs } from './wasm-files.ts';

type FfmpegCore = {
  FS: EmscriptenFs;
  exec(...args: string[]): number;
  setLogger(logger: (entry: { type: string; message: string }) => void): void;
};

/** Directories whose files the virtual machine provides itself. */
const VIRTUAL_DIRECTORIES = new Set(['dev', 'proc', 'sys']);

async function main(args: string[]): Promise<number> {
  // The build is made for a browser worker and asks where its script came from.
  Object.assign(globalThis, { self: { location: { href: '' } } });
  const require = createRequire(import.meta.url);
  const createCore: (options: { wasmBinary: Uint8Array }) => Promise<FfmpegCore> = require('@ffmpeg/core');
  const core = await createCore({ wasmBinary: readFileSync(require.resolve('@ffmpeg/core/wasm')) });
  core.setLogger(({ type, message }) => {
    if (message === 'Aborted()') return;
    writeSync(type === 'stdout' ? 1 : 2, `${message}\n`);
  });
  const disk = createDiskFileSystem(core.FS);
  for (const name of readdirSync('/')) {
    if (VIRTUAL_DIRECTORIES.has(name) || !isDirectory(`/${name}`)) continue;
    core.FS.mkdirTree(`/${name}`);
    core.FS.mount(disk, { root: `/${name}` }, `/${name}`);
  }
  core.FS.chdir(process.cwd());
  return core.exec(...args);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

process.exitCode = await main(process.argv.slice(2));
