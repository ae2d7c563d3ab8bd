import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

// Builds dist/clients/uploader: one ES module for browsers, one for Node.
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Bundles the uploader into `outdir`. */
export async function buildClients(
  outdir: string,
): Promise<readonly { file: string; bytes: number; gzipBytes: number }[]> {
  const source = join(root, 'clients', 'uploader', 'src');
  const common = {
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
  } as const;
  const targets = [
    { entry: 'index.ts', file: 'uploader.js', platform: 'browser' },
    { entry: 'node.ts', file: 'uploader.node.js', platform: 'node' },
  ] as const;
  const built = [];
  for (const { entry, file, platform } of targets) {
    const outfile = join(outdir, file);
    await build({ ...common, platform, entryPoints: [join(source, entry)], outfile });
    const bytes = readFileSync(outfile);
    built.push({ file, bytes: bytes.length, gzipBytes: gzipSync(bytes).length });
  }
  return built;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const { file, bytes, gzipBytes } of await buildClients(join(root, 'dist', 'clients', 'uploader')))
    console.log(`${file}: ${bytes} bytes, ${gzipBytes} gzipped`);
