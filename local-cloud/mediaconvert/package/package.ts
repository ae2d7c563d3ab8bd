import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWebVtt, writeWebVttSegments } from '../captions/webvtt.ts';
import { JobFailure } from '../errors.ts';
import type {
  Plan,
  PlannedCaptures,
  PlannedCmafGroup,
  PlannedFileGroup,
  PlannedMovie,
} from '../transcode/plan.ts';
import { DEFAULT_SEGMENT_SECONDS } from '../transcode/plan-cmaf.ts';
import { writeMpd } from './dash.ts';
import {
  type EncodedTrack,
  writeMediaPlaylist,
  writeMultivariantPlaylist,
  writeSubtitlePlaylist,
  writeTilePlaylist,
} from './hls.ts';
import {
  initName,
  masterName,
  mpdName,
  playlistName,
  segmentName,
  subtitleFileName,
  subtitleSegmentName,
  tileName,
  tilePlaylistName,
} from './names.ts';
import { readPackagedTrack } from './rendition.ts';

/** One file on its way into the bucket. Order matters: whatever refers to others comes after them. */
export type UploadFile = { path: string; bucket: string; key: string; contentType: string };

export type OutputDetail = {
  outputFilePaths?: string[];
  durationInMs: number;
  videoDetails?: { widthInPx: number; heightInPx: number; averageBitrate?: number };
};

export type OutputGroupDetail = {
  type: 'CMAF_GROUP' | 'FILE_GROUP';
  playlistFilePaths?: string[];
  outputDetails: OutputDetail[];
};

export type Packaged = { files: UploadFile[]; groups: OutputGroupDetail[]; longestSeconds: number };

const HLS_TYPE = 'application/vnd.apple.mpegurl';
const DASH_TYPE = 'application/dash+xml';

/**
 * Measures what ffmpeg made in `workDirectory`, writes playlists and manifests for it and lists what to upload.
 * @throws JobFailure 1076 when an output that should be there is empty.
 */
export async function packageOutputs(plan: Plan, workDirectory: string): Promise<Packaged> {
  const files: UploadFile[] = [];
  const groups: OutputGroupDetail[] = [];
  let longestSeconds = 0;
  for (const group of plan.groups) {
    const made =
      group.type === 'CMAF_GROUP'
        ? await packageCmaf(group, plan.durationSeconds, workDirectory)
        : await packageFiles(group, plan.durationSeconds, workDirectory);
    files.push(...made.files);
    groups.push(made.group);
    longestSeconds = Math.max(longestSeconds, made.longestSeconds);
  }
  return { files, groups, longestSeconds };
}

type PackagedGroup = { files: UploadFile[]; group: OutputGroupDetail; longestSeconds: number };

async function packageCmaf(
  group: PlannedCmafGroup,
  plannedSeconds: number,
  workDirectory: string,
): Promise<PackagedGroup> {
  const { bucket, prefix, base } = group.target;
  const directory = join(workDirectory, group.directory);
  const tracks: EncodedTrack[] = [];
  const media: UploadFile[] = [];
  for (const plan of group.tracks) {
    const packaged = await readPackagedTrack(directory, plan.stream);
    if (!packaged) throw nothingDecoded(`${base}${plan.nameModifier}`);
    tracks.push({ plan, packaged });
    const contentType = `${plan.kind}/mp4`;
    const { kind, nameModifier } = plan;
    media.push({
      path: packaged.initPath,
      bucket,
      key: prefix + initName(base, nameModifier, kind),
      contentType,
    });
    for (const [index, segment] of packaged.segments.entries()) {
      const key = prefix + segmentName(base, nameModifier, kind, index + 1);
      media.push({ path: segment.path, bucket, key, contentType });
    }
  }

  const durationSeconds = Math.max(...tracks.map((track) => track.packaged.durationSeconds));
  const written = join(directory, 'manifests');
  await mkdir(written, { recursive: true });
  const generated: UploadFile[] = [];
  const write = async (name: string, text: string, contentType: string): Promise<void> => {
    const path = join(written, String(generated.length));
    await writeFile(path, text);
    generated.push({ path, bucket, key: prefix + name, contentType });
  };

  const hls = group.settings.writeHlsManifest === 'ENABLED';
  const dash = group.settings.writeDashManifest === 'ENABLED';
  const tiles = await packageTiles(group, directory, media);
  await writeSubtitles(group, durationSeconds, write, hls);
  if (hls) {
    for (const track of tracks) {
      await write(playlistName(base, track.plan.nameModifier), writeMediaPlaylist(group, track), HLS_TYPE);
    }
    if (group.trickPlay && tiles) {
      const playlist = writeTilePlaylist(group, group.trickPlay, tiles.count, plannedSeconds);
      await write(tilePlaylistName(base), playlist, HLS_TYPE);
    }
  }
  const playlistFilePaths: string[] = [];
  if (dash) {
    await write(mpdName(group), writeMpd(group, tracks, tiles), DASH_TYPE);
    playlistFilePaths.push(`s3://${bucket}/${prefix}${mpdName(group)}`);
  }
  if (hls) {
    await write(masterName(group), writeMultivariantPlaylist(group, tracks, tiles), HLS_TYPE);
    playlistFilePaths.push(`s3://${bucket}/${prefix}${masterName(group)}`);
  }
  return {
    files: [...media, ...generated],
    group: { type: 'CMAF_GROUP', playlistFilePaths, outputDetails: tracks.map(cmafDetail) },
    longestSeconds: durationSeconds,
  };
}

function cmafDetail({ plan, packaged }: EncodedTrack): OutputDetail {
  const durationInMs = Math.round(packaged.durationSeconds * 1000);
  if (plan.kind === 'audio') return { durationInMs };
  return {
    durationInMs,
    videoDetails: {
      widthInPx: packaged.header.width ?? plan.width,
      heightInPx: packaged.header.height ?? plan.height,
      averageBitrate: packaged.averageBitrate,
    },
  };
}

async function writeSubtitles(
  group: PlannedCmafGroup,
  durationSeconds: number,
  write: (name: string, text: string, contentType: string) => Promise<void>,
  hls: boolean,
): Promise<void> {
  const { base } = group.target;
  const step = group.settings.segmentLength ?? DEFAULT_SEGMENT_SECONDS;
  for (const { nameModifier, cues } of group.subtitles) {
    await write(subtitleFileName(base, nameModifier), writeWebVtt(cues), 'text/vtt');
    if (!hls) continue;
    const segments = writeWebVttSegments(cues, step, durationSeconds);
    for (const [index, text] of segments.entries()) {
      await write(subtitleSegmentName(base, nameModifier, index + 1), text, 'text/vtt');
    }
    const playlist = writeSubtitlePlaylist(group, nameModifier, segments.length, durationSeconds);
    await write(playlistName(base, nameModifier), playlist, HLS_TYPE);
  }
}

async function packageTiles(
  group: PlannedCmafGroup,
  directory: string,
  media: UploadFile[],
): Promise<{ count: number; peakBitrate: number } | undefined> {
  const { trickPlay, target } = group;
  if (!trickPlay) return undefined;
  const names = (await readdir(directory)).filter((name) => name.startsWith(trickPlay.filePrefix)).sort();
  if (names.length === 0) throw nothingDecoded(`${target.base}_tiles`);
  let largestBytes = 0;
  for (const [index, name] of names.entries()) {
    const path = join(directory, name);
    largestBytes = Math.max(largestBytes, (await stat(path)).size);
    const key = target.prefix + tileName(target.base, index + 1);
    media.push({ path, bucket: target.bucket, key, contentType: 'image/jpeg' });
  }
  const seconds = trickPlay.intervalSeconds * trickPlay.columns * trickPlay.rows;
  return { count: names.length, peakBitrate: Math.max(1, Math.ceil((largestBytes * 8) / seconds)) };
}

async function packageFiles(
  group: PlannedFileGroup,
  plannedSeconds: number,
  workDirectory: string,
): Promise<PackagedGroup> {
  const files: UploadFile[] = [];
  const outputDetails: OutputDetail[] = [];
  for (const output of group.outputs) {
    const made =
      output.kind === 'captures'
        ? await listCaptures(group, output, workDirectory)
        : await listMovie(group, output, workDirectory);
    files.push(...made);
    const last = made.at(-1);
    const size = output.kind === 'captures' ? output : output.video;
    outputDetails.push({
      ...(last ? { outputFilePaths: [`s3://${last.bucket}/${last.key}`] } : {}),
      durationInMs: Math.round(plannedSeconds * 1000),
      ...(size ? { videoDetails: { widthInPx: size.width, heightInPx: size.height } } : {}),
    });
  }
  return { files, group: { type: 'FILE_GROUP', outputDetails }, longestSeconds: 0 };
}

async function listCaptures(
  group: PlannedFileGroup,
  output: PlannedCaptures,
  workDirectory: string,
): Promise<UploadFile[]> {
  const { bucket, prefix, base } = group.target;
  const directory = join(workDirectory, output.directory);
  const names = (await readdir(directory)).filter((name) => name.endsWith('.jpg')).sort();
  if (names.length === 0) throw nothingDecoded(`${base}${output.nameModifier}`);
  return names.map((name) => ({
    path: join(directory, name),
    bucket,
    key: `${prefix}${base}${output.nameModifier}.${name.slice(0, -'.jpg'.length)}.${output.extension}`,
    contentType: 'image/jpeg',
  }));
}

async function listMovie(
  group: PlannedFileGroup,
  output: PlannedMovie,
  workDirectory: string,
): Promise<UploadFile[]> {
  const { bucket, prefix, base } = group.target;
  const path = join(workDirectory, output.file);
  const info = await stat(path).catch(() => undefined);
  if (!info || info.size === 0) throw nothingDecoded(`${base}${output.nameModifier}`);
  const key = `${prefix}${base}${output.nameModifier}.${output.extension}`;
  return [{ path, bucket, key, contentType: output.video ? 'video/mp4' : 'audio/mp4' }];
}

function nothingDecoded(name: string): JobFailure {
  return new JobFailure(1076, `Demuxer: [no frame could be decoded for output ${name}]`);
}
