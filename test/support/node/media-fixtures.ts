import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';

const picture = (size: string, seconds = 3, rate = 25): string[] => [
  '-f',
  'lavfi',
  '-i',
  `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`,
];
const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=3'];
const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const aac = ['-c:a', 'aac', '-b:a', '64k'];
/** Ten bits whose colours only the codec's own header tells, and the container where it can. */
const hevc10 = (primaries: string, transfer: string, matrix: string): string[] => [
  ...['-c:v', 'libx265', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p10le'],
  ...['-color_primaries', primaries, '-color_trc', transfer, '-colorspace', matrix],
  ...['-x265-params', `log-level=error:colorprim=${primaries}:transfer=${transfer}:colormatrix=${matrix}`],
];
const pq = hevc10('bt2020', 'smpte2084', 'bt2020nc');

/** How each film of the tests is made: ffmpeg's arguments before the output file. All but `long` last 3 s. */
const recipes: Readonly<Record<string, readonly string[]>> = {
  'film.mp4': [...picture('320x180'), ...tone, ...h264, ...aac, '-movflags', '+faststart'],
  'index-at-end.mp4': [...picture('320x180'), ...tone, ...h264, ...aac],
  'fragmented.mp4': [
    ...picture('320x180'),
    ...tone,
    ...h264,
    ...aac,
    '-movflags',
    'frag_keyframe+empty_moov',
  ],
  'film.mov': [...picture('320x180'), ...tone, ...h264, ...aac],
  'film.mkv': [...picture('320x180'), ...tone, ...h264, ...aac],
  'film.ts': [...picture('320x180'), ...tone, ...h264, ...aac],
  'film.webm': [
    ...picture('320x180'),
    ...tone,
    '-c:v',
    'libvpx',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-c:a',
    'libvorbis',
  ],
  'film.avi': [...picture('320x180'), ...tone, '-c:v', 'mpeg4', '-c:a', 'mp2'],
  'film.flv': [...picture('320x180'), ...tone, ...h264, ...aac],
  'film.mpg': [...picture('320x180'), ...tone, '-c:v', 'mpeg2video', '-c:a', 'mp2'],
  'silent.mp4': [...picture('320x180'), ...h264],
  'hd.mp4': [...picture('1280x720'), ...tone, ...h264, ...aac],
  'wide-pixels.mp4': [...picture('320x180'), '-vf', 'setsar=2/1', ...h264],
  'sound.m4a': [...tone, ...aac],
  'sound.ogg': [...tone, '-c:a', 'libvorbis'],
  'sound.flac': [...tone],
  'sound.wav': [...tone],
  'hevc.mp4': [
    ...picture('320x180', 1),
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error',
  ],
  'pq.mp4': [...picture('320x180', 1), ...pq, '-tag:v', 'hvc1'],
  'pq-in-codec.mp4': [...picture('320x180', 1), ...pq, '-tag:v', 'hvc1', '-movflags', '-write_colr'],
  'pq.ts': [...picture('320x180', 1), ...pq],
  'pq.mkv': [...picture('320x180', 1), ...pq],
  'hlg.mov': [
    ...picture('320x180', 1),
    ...hevc10('bt2020', 'arib-std-b67', 'bt2020nc'),
    ...['-tag:v', 'hvc1'],
  ],
  'wide.mkv': [...picture('320x180', 1), ...hevc10('bt2020', 'bt2020-10', 'bt2020nc')],
  'tiny.mp4': [...picture('16x16'), ...h264],
  'huge.mp4': [...picture('8256x64'), ...h264],
  // One frame a minute for 721 minutes.
  'long.mp4': [
    '-f',
    'lavfi',
    '-i',
    'color=size=64x64:rate=1/60:duration=43260',
    ...h264,
    '-fps_mode',
    'passthrough',
  ],
  'film.mp3': [...tone, '-c:a', 'libmp3lame'],
  'picture.png': [...picture('64x64'), '-frames:v', '1'],
};

/** Makes films for tests on first request and keeps them in `folder`. */
export function createMediaFixtures(
  ffmpeg: Ffmpeg,
  folder: string,
): (name: string) => Promise<Buffer | undefined> {
  const made = new Map<string, Promise<Buffer>>();

  async function make(name: string, args: readonly string[]): Promise<Buffer> {
    await mkdir(folder, { recursive: true });
    await ffmpeg.run(['-y', ...args, name], { cwd: folder });
    return readFile(join(folder, name));
  }

  async function makeRotated(name: string): Promise<Buffer> {
    await find('film.mp4');
    await ffmpeg.run(['-y', '-display_rotation', '90', '-i', 'film.mp4', '-c', 'copy', name], {
      cwd: folder,
    });
    return readFile(join(folder, name));
  }

  function find(name: string): Promise<Buffer | undefined> {
    const recipe = Object.hasOwn(recipes, name) ? recipes[name] : undefined;
    if (recipe === undefined && name !== 'rotated.mp4') return Promise.resolve(undefined);
    const known = made.get(name) ?? (recipe === undefined ? makeRotated(name) : make(name, recipe));
    made.set(name, known);
    return known;
  }

  return find;
}
