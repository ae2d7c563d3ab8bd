import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { type Ffmpeg, FfmpegError, type MediaProbe, type VideoStream } from '../../ffmpeg/index.ts';
import { badRequest, notFound } from '../errors.ts';
import type { ObjectStore } from '../ports.ts';
import { describeIssues } from '../settings/parse.ts';
import { s3Url, splitS3Url } from '../settings/primitives.ts';
import { bitDepth, containerFormat, mimeType, probeCodec, probeColors } from './codecs.ts';

const probeBody = z.strictObject({ inputFiles: z.array(z.strictObject({ fileUrl: s3Url })).length(1) });

/**
 * The Probe operation: container, duration and tracks of one object.
 * @throws ApiError BadRequestException for a malformed request or a file that is not media, NotFoundException when
 * the object does not exist.
 */
export async function probeObject(body: unknown, ffmpeg: Ffmpeg, objectStore: ObjectStore): Promise<unknown> {
  const parsed = probeBody.safeParse(body);
  if (!parsed.success) throw badRequest(describeIssues(parsed.error.issues));
  const fileUrl = parsed.data.inputFiles[0]?.fileUrl ?? '';
  const { bucket, key } = splitS3Url(fileUrl);
  const path = objectStore.objectPath(bucket, key);
  const info = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path === undefined || !info) throw notFound(`input file [${fileUrl}] does not exist`);
  try {
    const probe = await ffmpeg.probe(path);
    return { probeResults: [presentProbe(probe, info.size, info.mtimeMs)] };
  } catch (error) {
    if (error instanceof FfmpegError)
      throw badRequest(`input file [${fileUrl}] cannot be read: ${error.message}`);
    throw error;
  }
}

function presentProbe(probe: MediaProbe, fileSize: number, modifiedMs: number): unknown {
  const video = probe.streams.find((stream) => stream.kind === 'video');
  const format = containerFormat(probe.container, probe.majorBrand, video?.codec);
  const indexesOf = (kind: string): number[] =>
    probe.streams.filter((stream) => stream.kind === kind).map((stream) => stream.index + 1);
  const { durationSeconds } = probe;
  return {
    container: {
      ...(format ? { format } : {}),
      duration: durationSeconds,
      ...(durationSeconds > 0 ? { bitRate: Math.round((fileSize * 8) / durationSeconds) } : {}),
      tracks: probe.streams.map((stream) => ({
        index: stream.index + 1,
        trackType: stream.kind,
        codec: probeCodec(stream.codec),
        duration: durationSeconds,
        ...(stream.kind === 'video' ? { videoProperties: videoProperties(stream) } : {}),
        ...(stream.kind === 'audio'
          ? {
              audioProperties: {
                channels: stream.channels,
                channelLayout: stream.channelLayout,
                sampleRate: stream.sampleRate,
                ...(stream.bitrate ? { bitRate: stream.bitrate } : {}),
                ...(stream.language ? { languageCode: stream.language } : {}),
              },
            }
          : {}),
        ...(stream.kind === 'data' && stream.language
          ? { dataProperties: { languageCode: stream.language } }
          : {}),
      })),
    },
    metadata: {
      fileSize,
      lastModified: Math.floor(modifiedMs / 1000),
      mimeType: mimeType(format),
    },
    trackMappings: [
      {
        videoTrackIndexes: indexesOf('video'),
        audioTrackIndexes: indexesOf('audio'),
        dataTrackIndexes: indexesOf('data'),
      },
    ],
  };
}

function videoProperties(stream: VideoStream): unknown {
  return {
    width: stream.width,
    height: stream.height,
    bitDepth: bitDepth(stream.pixelFormat),
    ...probeColors(stream.colors),
    ...(stream.framesPerSecond ? { frameRate: stream.framesPerSecond } : {}),
    ...(stream.bitrate ? { bitRate: stream.bitrate } : {}),
    ...(stream.rotationDegrees === 0 ? {} : { rotation: stream.rotationDegrees }),
    sampleAspectRatio: stream.sampleAspect,
  };
}
