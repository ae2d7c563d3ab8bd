import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Bundles the Worker as a deployment would, into `directory`; `entry` instead of its own entry, with the same settings.
 * @returns the path of the bundle.
 */
export async function buildBundle(root: string, directory: string, entry?: string): Promise<string> {
  const wrangler = join(
    dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
    'bin',
    'wrangler.js',
  );
  await promisify(execFile)(
    process.execPath,
    [wrangler, 'deploy', ...(entry === undefined ? [] : [entry]), '--dry-run', '--outdir', directory],
    {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' },
      maxBuffer: 16 * 2 ** 20,
    },
  );
  const modules = readdirSync(directory).filter((file) => !/\.map$|^README\.md$/.test(file));
  const [bundle] = modules;
  if (bundle === undefined || modules.length > 1)
    throw new Error(`the bundle is expected to be one module, but is: ${modules.join(', ')}`);
  return join(directory, bundle);
}
