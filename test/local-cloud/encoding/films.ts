import type { Ffmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import type { ProbeFacts } from '../../../src/modules/videos/policy/probe-verdict.ts';
import { newDirectory } from '../mediaconvert/directories.ts';

/** A film that is hard to encode, and what is true of it. */
export type AwkwardFilm = {
  name: string;
  file: string;
  seconds: number;
  /** As it is shown: turned upright, in square pixels. */
  picture: { width: number; height: number; frameRate: number | null } | undefined;
  sound: boolean;
  /** Frames per second that come out; undefined where the source has no fixed rate. */
  outputRate: number | undefined;
  /** ffmpeg's arguments before the output file. */
  recipe: string[];
  /** Counter-clockwise turn to write into the file afterwards. */
  rotation?: number;
};

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
const AAC = ['-c:a', 'aac', '-b:a', '128k'];
const picture = (size: string, rate: number, seconds: number): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`],
];
const sound = (expression: string): string[] => ['-f', 'lavfi', '-i', expression];

/** About -6 LKFS with peaks at full scale. */
const LOUD = 'anoisesrc=color=pink:amplitude=1:sample_rate=48000:duration=2,volume=12dB,alimiter=limit=0.98';
/** About -45 LKFS. */
const QUIET = 'sine=frequency=997:sample_rate=48000:duration=2,volume=-24dB';
/** A quiet tone under sharp clicks: what brings it to the target pushes the clicks far over full scale. */
const PEAKY = "aevalsrc='0.01*sin(2*PI*440*t)+0.6*lt(mod(t,0.25),0.001)':sample_rate=48000:duration=2";
const TONE = 'sine=frequency=440:sample_rate=44100:duration=2';

export const AWKWARD_FILMS: readonly AwkwardFilm[] = [
  {
    name: 'portrait and loud',
    file: 'portrait.mp4',
    seconds: 2,
    picture: { width: 608, height: 1080, frameRate: 30 },
    sound: true,
    outputRate: 30,
    recipe: [...picture('608x1080', 30, 2), ...sound(LOUD), ...H264, '-pix_fmt', 'yuv420p', ...AAC],
  },
  {
    name: 'turned by its metadata, and quiet',
    file: 'turned.mp4',
    seconds: 2,
    picture: { width: 480, height: 854, frameRate: 25 },
    sound: true,
    outputRate: 25,
    recipe: [...picture('854x480', 25, 2), ...sound(QUIET), ...H264, '-pix_fmt', 'yuv420p', ...AAC],
    rotation: -90,
  },
  {
    name: '10-bit HEVC',
    file: 'ten-bit.mp4',
    seconds: 2,
    picture: { width: 854, height: 480, frameRate: 25 },
    sound: true,
    outputRate: 25,
    recipe: [
      ...[...picture('854x480', 25, 2), ...sound(TONE), '-c:v', 'libx265', '-preset', 'ultrafast'],
      ...['-x265-params', 'log-level=error', '-pix_fmt', 'yuv420p10le', '-tag:v', 'hvc1', ...AAC],
    ],
  },
  {
    name: 'of a variable frame rate, with peaks',
    file: 'variable.mkv',
    seconds: 2,
    picture: { width: 640, height: 360, frameRate: null },
    sound: true,
    outputRate: undefined,
    recipe: [
      ...[...picture('640x360', 30, 2), ...sound(PEAKY)],
      ...['-vf', "select='lt(t,0.7)+not(mod(n,7))'", '-fps_mode', 'vfr'],
      ...[...H264, '-pix_fmt', 'yuv420p', '-c:a', 'pcm_s16le'],
    ],
  },
  {
    name: 'silent, of odd size, 4:4:4 and 50 frames per second',
    file: 'silent.mp4',
    seconds: 2,
    picture: { width: 641, height: 361, frameRate: 50 },
    sound: false,
    outputRate: 50,
    recipe: [...picture('641x361', 50, 2), ...H264, '-pix_fmt', 'yuv444p'],
  },
  {
    name: 'sound alone',
    file: 'sound.m4a',
    seconds: 2,
    picture: undefined,
    sound: true,
    outputRate: undefined,
    recipe: [...sound(TONE), ...AAC],
  },
  {
    name: '4K',
    file: 'large.mp4',
    seconds: 1.2,
    picture: { width: 3840, height: 2160, frameRate: 25 },
    sound: true,
    outputRate: 25,
    recipe: [
      ...picture('3840x2160', 25, 1.2),
      ...sound(`${TONE},atrim=end=1.2`),
      ...H264,
      '-pix_fmt',
      'yuv420p',
      ...AAC,
    ],
  },
  {
    name: 'one second long, 60 frames per second',
    file: 'short.mov',
    seconds: 1,
    picture: { width: 640, height: 360, frameRate: 60 },
    sound: true,
    outputRate: 60,
    recipe: [
      ...picture('640x360', 60, 1),
      ...sound(`${TONE},atrim=end=1`),
      ...H264,
      '-pix_fmt',
      'yuv420p',
      ...AAC,
    ],
  },
];

/** What a probe of the film finds. */
export const factsOf = (film: AwkwardFilm): ProbeFacts => ({
  container: 'mp4',
  durationMs: film.seconds * 1000,
  picture: film.picture && { ...film.picture, codec: null, colour: 'plain' },
  sound: film.sound ? { codec: null } : undefined,
});

export async function makeFilm(ffmpeg: Ffmpeg, film: AwkwardFilm, path: string): Promise<void> {
  const cwd = newDirectory('film');
  if (film.rotation === undefined) {
    await ffmpeg.run([...film.recipe, path], { cwd });
    return;
  }
  await ffmpeg.run([...film.recipe, 'upright.mp4'], { cwd });
  await ffmpeg.run(['-display_rotation', String(film.rotation), '-i', 'upright.mp4', '-c', 'copy', path], {
    cwd,
  });
}
