import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Family that every burnt-in caption asks for; the files under `fontsDir()` provide it. */
export const FONT_FAMILY = 'DejaVu Sans';

/**
 * Directory of TrueType fonts to hand to ffmpeg as `fontsdir`. A machine without fonts makes ffmpeg draw nothing
 * and still exit 0, so callers must always pass it.
 * @throws Error when the font package is not installed.
 */
export function fontsDir(): string {
  const require = createRequire(import.meta.url);
  const directory = join(dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  if (!statSync(join(directory, 'DejaVuSans.ttf')).isFile()) throw new Error(`no fonts in ${directory}`);
  return directory;
}
