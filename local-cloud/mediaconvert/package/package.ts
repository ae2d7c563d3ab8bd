import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWebVtt, writeWebVttSegments } from '../captions/webvtt.ts';
import { JobFailure } from '../errors.ts';
import type {
  Plan,
  PlannedCaptures,
  PlannedCmafGroup,
  PlannedFile,
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
} from './hls.ts';
import { type IFrame, readIFrames, writeIFramePlaylist } from './i-frames.ts';
import {
  iFramePlaylistName,
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
import { readTileSet, type TileSet, writeTilePlaylist } from './trick-play.ts';

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
  const iFrames = await iFramesOf(tracks);
  await writeSubtitles(group, durationSeconds, write, hls);
  if (hls) {
    for (const track of tracks) {
      await write(playlistName(base, track.plan.nameModifier), writeMediaPlaylist(group, track), HLS_TYPE);
    }
    for (const [track, frames] of iFrames) {
      const playlist = writeIFramePlaylist(group, track, frames);
      await write(iFramePlaylistName(base, track.plan.nameModifier), playlist, HLS_TYPE);
    }
    for (const set of tiles) {
      const playlist = writeTilePlaylist(group, set, plannedSeconds);
      await write(tilePlaylistName(base, set.plan.suffix), playlist, HLS_TYPE);
    }
  }
  const playlistFilePaths: string[] = [];
  if (dash) {
    await write(mpdName(group), writeMpd(group, tracks, tiles), DASH_TYPE);
    playlistFilePaths.push(`s3://${bucket}/${prefix}${mpdName(group)}`);
  }
  if (hls) {
    await write(masterName(group), writeMultivariantPlaylist(group, tracks, tiles, iFrames), HLS_TYPE);
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
): Promise<TileSet[]> {
  const { bucket, prefix, base } = group.target;
  const sets: TileSet[] = [];
  for (const plan of group.trickPlays) {
    const set = await readTileSet(plan, directory);
    if (!set) throw nothingDecoded(`${base}${plan.suffix}`);
    for (const [index, path] of set.paths.entries()) {
      const key = prefix + tileName(base, plan.suffix, index + 1);
      media.push({ path, bucket, key, contentType: 'image/jpeg' });
    }
    sets.push(set);
  }
  return sets;
}

async function iFramesOf(tracks: readonly EncodedTrack[]): Promise<Map<EncodedTrack, IFrame[]>> {
  const found = new Map<EncodedTrack, IFrame[]>();
  for (const track of tracks) {
    if (track.plan.kind !== 'video' || !track.plan.iFramePlaylist) continue;
    const frames = await readIFrames(track);
    if (frames.length > 0) found.set(track, frames);
  }
  return found;
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
      ...(size ? { videoDetails: await videoDetails(output, size, last, plannedSeconds) } : {}),
    });
  }
  return { files, group: { type: 'FILE_GROUP', outputDetails }, longestSeconds: 0 };
}

/** Only encoded films have a bit rate that MediaConvert tells. */
async function videoDetails(
  output: PlannedFile,
  size: { width: number; height: number },
  file: UploadFile | undefined,
  seconds: number,
): Promise<NonNullable<OutputDetail['videoDetails']>> {
  const details = { widthInPx: size.width, heightInPx: size.height };
  if (output.kind !== 'movie' || output.contentType === 'image/gif' || !file || seconds <= 0) return details;
  return { ...details, averageBitrate: Math.round(((await stat(file.path)).size * 8) / seconds) };
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
  return [{ path, bucket, key, contentType: output.contentType }];
}

function nothingDecoded(name: string): JobFailure {
  return new JobFailure(1076, `Demuxer: [no frame could be decoded for output ${name}]`);
}
