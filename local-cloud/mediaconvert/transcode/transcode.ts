import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ffmpeg, FfmpegError, fontsDir, lastErrorLine, type MediaProbe } from '../../ffmpeg/index.ts';
import { type Cue, parseCues, retimeCues } from '../captions/cues.ts';
import { JobFailure } from '../errors.ts';
import type { JobPhase } from '../jobs/job.ts';
import { type OutputGroupDetail, packageOutputs, type UploadFile } from '../package/package.ts';
import type { ObjectStore } from '../ports.ts';
import type { CreateJobBody, Input, JobSettings } from '../settings/create-job.ts';
import { splitS3Url } from '../settings/primitives.ts';
import { accelerationObstacle } from './acceleration.ts';
import { buildPlan } from './build.ts';
import { assembleHls, isPlaylist, PlaylistError } from './hls-input.ts';
import { type LoudnessCorrections, measureCorrections } from './loudness.ts';
import { type Plan, type PlanWarning, WARNING_SHORTER_THAN_INPUT } from './plan.ts';
import { clipRanges } from './sources.ts';

const MAX_CAPTION_BYTES = 2_000_000;

/** Where the process that works in a scratch directory is noted. */
export const processNote = (workDirectory: string): string => join(workDirectory, 'ffmpeg.json');

export type TranscodeRequest = {
  job: CreateJobBody;
  /** Scratch directory of this attempt; created, and removed whatever happens. */
  workDirectory: string;
  ffmpeg: Ffmpeg;
  objectStore: ObjectStore;
  preset: string;
  signal: AbortSignal;
  onInput: (probe: MediaProbe) => Promise<void>;
  /** `phasePercent` is 0 to 100 within the phase. */
  onProgress: (phase: JobPhase, phasePercent: number, frames: number) => void;
};

export type TranscodeResult = { outputGroups: OutputGroupDetail[]; warnings: PlanWarning[] };

/**
 * Carries out one job: probes the input, encodes everything in one pass, packages and uploads. Nothing is uploaded
 * before everything is encoded, and what was uploaded is taken back when the rest cannot be.
 * @throws JobFailure with the reason to put on the job; `signal.reason` when aborted.
 */
export async function transcode(request: TranscodeRequest): Promise<TranscodeResult> {
  const { workDirectory, signal } = request;
  try {
    await mkdir(workDirectory, { recursive: true });
    const plan = await prepare(request);
    signal.throwIfAborted();
    await encode(request, plan);
    const packaged = await packageOutputs(plan, workDirectory);
    const warnings = [...plan.warnings];
    if (packaged.longestSeconds > 0 && packaged.longestSeconds < plan.durationSeconds * 0.9 - 0.5) {
      warnings.push({
        code: WARNING_SHORTER_THAN_INPUT,
        message: `the input claims ${plan.durationSeconds.toFixed(1)} s but only ${packaged.longestSeconds.toFixed(1)} s could be decoded`,
      });
    }
    await upload(request, packaged.files);
    return { outputGroups: packaged.groups, warnings };
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

async function prepare(request: TranscodeRequest): Promise<Plan> {
  const { job, ffmpeg, objectStore, signal, workDirectory } = request;
  const [input] = job.settings.inputs;
  if (!input) throw new JobFailure(1999, 'the job has no input');
  request.onProgress('PROBING', 0, 0);
  const inputPath = await openInput(request, input.fileInput);
  const probe = await probeInput(ffmpeg, inputPath, input.fileInput, signal);
  await request.onInput(probe);
  if (job.accelerationSettings?.mode === 'ENABLED') {
    const obstacle = accelerationObstacle(job.settings, probe);
    if (obstacle) throw new JobFailure(1040, obstacle);
  }
  const plan = buildPlan({
    settings: job.settings,
    inputPath,
    probe,
    imagePaths: await locateImages(objectStore, job.settings),
    captions: await readCaptions(objectStore, input, probe),
    loudness: await measureLoudness(request, input, inputPath, probe),
    preset: request.preset,
  });
  for (const directory of plan.directories) await mkdir(join(workDirectory, directory), { recursive: true });
  for (const file of plan.files) await writeFile(join(workDirectory, file.name), file.text);
  if (plan.needsFonts) await symlink(fontsDir(), join(workDirectory, 'fonts'));
  return plan;
}

async function encode(request: TranscodeRequest, plan: Plan): Promise<void> {
  let decodedSeconds = 0;
  request.onProgress('TRANSCODING', 0, 0);
  try {
    await request.ffmpeg.run(plan.args, {
      cwd: request.workDirectory,
      noteFile: processNote(request.workDirectory),
      signal: request.signal,
      onProgress: ({ outTimeSeconds, frames }) => {
        // The written time stands still until the first segment is complete; the frame count does not.
        const framesSeconds = plan.framesPerSecond ? frames / plan.framesPerSecond : 0;
        decodedSeconds = Math.max(decodedSeconds, outTimeSeconds, framesSeconds);
        const percent = plan.durationSeconds > 0 ? (decodedSeconds / plan.durationSeconds) * 100 : 0;
        request.onProgress('TRANSCODING', Math.min(100, Math.floor(percent)), frames);
      },
    });
  } catch (error) {
    throw error instanceof FfmpegError ? ffmpegFailure(error, decodedSeconds === 0) : error;
  }
}

async function measureLoudness(
  request: TranscodeRequest,
  input: Input,
  inputPath: string,
  probe: MediaProbe,
): Promise<LoudnessCorrections> {
  try {
    return await measureCorrections({
      ffmpeg: request.ffmpeg,
      groups: request.job.settings.outputGroups,
      input,
      inputPath,
      probe,
      clips: clipRanges(input, probe),
      workDirectory: request.workDirectory,
      signal: request.signal,
      onProgress: () => request.onProgress('PROBING', 50, 0),
    });
  } catch (error) {
    throw error instanceof FfmpegError ? ffmpegFailure(error, true) : error;
  }
}

/** A transcoder that was killed says nothing about the input: the same job may well succeed another time. */
function ffmpegFailure(error: FfmpegError, beforeFirstFrame: boolean): JobFailure {
  if (error.exitCode === null)
    return new JobFailure(1999, `The transcoding engine stopped: [${error.message}]`);
  const reason = lastErrorLine(error.stderrTail);
  return beforeFirstFrame
    ? new JobFailure(1076, `Demuxer: [the input could not be decoded: ${reason}]`)
    : new JobFailure(3450, `Encoder: [${reason}]`);
}

async function upload(request: TranscodeRequest, files: readonly UploadFile[]): Promise<void> {
  const { objectStore, signal } = request;
  const done: UploadFile[] = [];
  try {
    for (const file of files) {
      signal.throwIfAborted();
      request.onProgress('UPLOADING', Math.floor((done.length / files.length) * 100), 0);
      done.push(file);
      await objectStore
        .putFile(file.bucket, file.key, file.path, { contentType: file.contentType })
        .catch((error) => {
          throw new JobFailure(
            1404,
            `Unable to write output file [s3://${file.bucket}/${file.key}]: [${text(error)}]`,
          );
        });
    }
    signal.throwIfAborted();
  } catch (error) {
    for (const file of done.reverse()) await objectStore.deleteObject(file.bucket, file.key).catch(() => {});
    throw error;
  }
}

/** Path of the job's media file; an HLS recording is made into one first. */
async function openInput(request: TranscodeRequest, url: string): Promise<string> {
  const { ffmpeg, objectStore, signal, workDirectory } = request;
  if (!isPlaylist(url)) return locate(objectStore, url);
  try {
    const source = { ffmpeg, workDirectory, signal, locate: (part: string) => locate(objectStore, part) };
    return await assembleHls(source, url);
  } catch (error) {
    if (error instanceof FfmpegError) throw ffmpegFailure(error, true);
    if (!(error instanceof PlaylistError)) throw error;
    throw new JobFailure(1010, `Unable to open input file [${url}]: [Failed probe/open: [${error.message}]]`);
  }
}

async function locate(objectStore: ObjectStore, url: string): Promise<string> {
  const { bucket, key } = splitS3Url(url);
  const path = objectStore.objectPath(bucket, key);
  const info = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path === undefined || !info) {
    throw new JobFailure(
      1404,
      `Unable to open input file [${url}]: [Failed probe/open: [Failed to read data: HTTP 404 NoSuchKey]]`,
    );
  }
  return path;
}

async function probeInput(
  ffmpeg: Ffmpeg,
  path: string,
  url: string,
  signal: AbortSignal,
): Promise<MediaProbe> {
  let reason = 'no audio or video track found';
  try {
    const probe = await ffmpeg.probe(path, { signal });
    const usable = probe.streams.some((stream) => stream.kind !== 'data');
    if (usable && probe.durationSeconds > 0) return probe;
    if (usable) reason = 'the file has no duration';
  } catch (error) {
    if (!(error instanceof FfmpegError)) throw error;
    if (error.exitCode === null) throw ffmpegFailure(error, true);
    reason = lastErrorLine(error.stderrTail);
  }
  throw new JobFailure(
    1010,
    `Unable to open input file [${url}]: [Failed probe/open: [${withoutPath(reason, path)}]]`,
  );
}

async function locateImages(objectStore: ObjectStore, settings: JobSettings): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  const inserters = [
    ...settings.inputs.map((input) => input.imageInserter),
    ...settings.outputGroups.flatMap((group) =>
      group.outputs.map((output) => output.videoDescription?.videoPreprocessors?.imageInserter),
    ),
  ];
  for (const image of inserters.flatMap((inserter) => inserter?.insertableImages ?? [])) {
    paths.set(image.imageInserterInput, await locate(objectStore, image.imageInserterInput));
  }
  return paths;
}

async function readCaptions(
  objectStore: ObjectStore,
  input: Input,
  probe: MediaProbe,
): Promise<Map<string, Cue[]>> {
  const captions = new Map<string, Cue[]>();
  const clips = clipRanges(input, probe);
  for (const [name, selector] of Object.entries(input.captionSelectors ?? {})) {
    const { sourceFile, timeDelta = 0, timeDeltaUnits } = selector.sourceSettings.fileSourceSettings;
    const path = await locate(objectStore, sourceFile);
    if ((await stat(path)).size > MAX_CAPTION_BYTES) {
      throw new JobFailure(
        1010,
        `Unable to open caption file [${sourceFile}]: [larger than ${MAX_CAPTION_BYTES} bytes]`,
      );
    }
    try {
      const cues = parseCues(new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)));
      captions.set(
        name,
        retimeCues(cues, timeDeltaUnits === 'MILLISECONDS' ? timeDelta / 1000 : timeDelta, clips),
      );
    } catch (error) {
      throw new JobFailure(1010, `Unable to open caption file [${sourceFile}]: [${text(error)}]`);
    }
  }
  return captions;
}

/** Job errors name objects, never where the local cloud keeps them. */
function withoutPath(message: string, path: string): string {
  return message.replaceAll(`${path}: `, '').replaceAll(path, 'the file');
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
