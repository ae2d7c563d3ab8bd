import type { RenditionInfo } from '../playback/playlists.ts';
import type { AudioSettings, Channel, VideoSettings } from '../resources.ts';
import type { IngestMeter } from './meter.ts';
import type { Rung } from './transcoder.ts';

/** Rungs below the size that comes in, as IVS names them: height and frame rate. */
const LADDER: readonly (Rung & { width: number })[] = [
  { height: 480, width: 852, bitrate: 1_400_000 },
  { height: 160, width: 284, bitrate: 230_000 },
];

/** What libx264 makes with its fastest preset, at a level that covers the ladder. */
const ENCODED = 'avc1.42C01F';

export type PlannedRendition = { readonly info: RenditionInfo; readonly rung?: Rung };

/** What viewers get: a BASIC channel the stream as it comes in, the others smaller sizes beside it. */
export function planRenditions(
  channel: Channel,
  video: VideoSettings | undefined,
  audio: AudioSettings | undefined,
  { hasAudio, copiesVideo }: Pick<IngestMeter, 'hasAudio' | 'copiesVideo'>,
): PlannedRendition[] {
  const framerate = video?.targetFramerate ?? 0;
  const sound = hasAudio ? [audio?.codec ?? 'mp4a.40.2'] : [];
  const soundBitrate = hasAudio ? audio?.targetBitrate || 128_000 : 0;
  const named = (height: number): string =>
    height > 0 ? `${height}p${framerate || 30}` : video ? 'source' : 'audio_only';
  const codecs = (picture: string): string => [picture, ...sound].join(',');
  const height = video?.videoHeight ?? 0;
  const width = video?.videoWidth ?? 0;
  const source: PlannedRendition = {
    info: {
      name: named(height),
      width,
      height,
      framerate,
      bandwidth: (video?.targetBitrate || 2_000_000) + soundBitrate,
      codecs: video ? codecs(copiesVideo ? video.codec : ENCODED) : sound.join(','),
    },
  };
  if (channel.type === 'BASIC' || height === 0) return [source];
  const smaller = LADDER.filter((rung) => rung.height < height).map(({ bitrate, ...rung }) => ({
    rung: { height: rung.height, bitrate },
    info: {
      name: named(rung.height),
      // As the encoder makes it: in the shape of the source, and even.
      width: Math.round((rung.height * width) / height / 2) * 2,
      height: rung.height,
      framerate,
      bandwidth: bitrate + soundBitrate,
      codecs: codecs(ENCODED),
    },
  }));
  return [source, ...smaller];
}
