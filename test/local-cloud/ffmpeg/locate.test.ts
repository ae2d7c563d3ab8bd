import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { newDirectory } from '../mediaconvert/directories.ts';

const directory = (): string => newDirectory('ffmpeg');

function script(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('finding ffmpeg', () => {
  it('works on a machine that has none installed', async () => {
    const ffmpeg = await locateFfmpeg({ PATH: directory() });
    expect(['npm', 'wasm']).toContain(ffmpeg.source);
    expect(ffmpeg.version).toMatch(/\d/);
    expect(ffmpeg.description).toContain(ffmpeg.version);
  });

  it('prefers FFMPEG_PATH, then PATH', async () => {
    const { command } = await locateFfmpeg({ PATH: directory() });
    const onPath = directory();
    const wrapper = script(join(onPath, 'ffmpeg'), `exec ${command} "$@"`);
    const other = script(join(directory(), 'my-ffmpeg'), `exec ${command} "$@"`);
    expect(await locateFfmpeg({ PATH: `${directory()}:${onPath}` })).toMatchObject({
      source: 'path',
      command: wrapper,
    });
    expect(await locateFfmpeg({ PATH: onPath, FFMPEG_PATH: other })).toMatchObject({
      source: 'env',
      command: other,
    });
  });

  it('passes over an ffmpeg on PATH that lacks what the transcoder needs', async () => {
    const onPath = directory();
    script(
      join(onPath, 'ffmpeg'),
      `case "$*" in *-version*) echo "ffmpeg version 4.2-slim";; *) echo "Unknown encoder 'libx264'" >&2; exit 1;; esac`,
    );
    expect((await locateFfmpeg({ PATH: onPath })).source).not.toBe('path');
  });

  it('says what is wrong with a FFMPEG_PATH instead of quietly using another', async () => {
    await expect(locateFfmpeg({ FFMPEG_PATH: '/nowhere/ffmpeg' })).rejects.toThrow(
      'FFMPEG_PATH=/nowhere/ffmpeg',
    );
    const broken = script(join(directory(), 'ffmpeg'), 'echo "Unknown encoder libx264" >&2; exit 1');
    await expect(locateFfmpeg({ FFMPEG_PATH: broken })).rejects.toThrow('cannot be used');
  });
});
