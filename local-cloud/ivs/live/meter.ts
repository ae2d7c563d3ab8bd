import type { AudioSettings, VideoSettings } from '../resources.ts';
import { decodeAmf } from '../rtmp/amf0.ts';
import { FLV_AUDIO, FLV_SCRIPT, type FlvTag } from '../rtmp/flv.ts';
import { readAvcConfiguration } from './avc.ts';

const AVC = 7;
const AAC = 10;
/** Codecs of FLV that are transcoded, by number. */
const OTHER_CODECS: Readonly<Record<number, string>> = { 2: 'flv1', 3: 'flashsv', 4: 'vp6f' };
const AAC_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];
/** Media time that rates are measured over. */
const WINDOW_MS = 5000;

type Track = { samples: { atMs: number; bytes: number }[]; bytes: number };

/** Measures an ingest as it comes in: what its encoder says of it and what really arrives. */
export class IngestMeter {
  /** Set by the first configuration of each; another codec than H.264 has none. */
  video: VideoSettings | undefined;
  audio: AudioSettings | undefined;
  hasVideo = false;
  hasAudio = false;
  copiesVideo = false;
  copiesAudio = false;
  /** Between the last two key frames, in media time. */
  #keyFrameIntervalMs: number | undefined;
  #lastKeyFrameMs: number | undefined;
  #metadata: Readonly<Record<string, unknown>> = {};
  readonly #tracks = { video: { samples: [], bytes: 0 } as Track, audio: { samples: [], bytes: 0 } as Track };

  /** True once enough came in to know how to go on with the stream. */
  get isKnown(): boolean {
    return this.hasVideo && (this.video !== undefined || !this.copiesVideo);
  }

  add(tag: FlvTag): void {
    if (tag.type === FLV_SCRIPT) this.#describe(tag.payload);
    else if (tag.payload.length < 2) return;
    else if (tag.type === FLV_AUDIO) this.#addAudio(tag);
    else this.#addVideo(tag);
  }

  /** Bits per second of picture and sound together, over the last seconds. */
  get bitrate(): number {
    return rateOf(this.#tracks.video).bits + rateOf(this.#tracks.audio).bits;
  }

  /** What comes in, for people. */
  get description(): string {
    const { video } = this;
    return [
      ...(video ? [`${video.videoWidth}x${video.videoHeight}`, `${video.targetFramerate} fps`] : ['sound']),
      `${Math.round(this.bitrate / 1000)} kbit/s`,
      ...(this.#keyFrameIntervalMs === undefined
        ? []
        : [`a key frame every ${(this.#keyFrameIntervalMs / 1000).toFixed(1)} s`]),
      ...(video?.encoder ? [video.encoder] : []),
    ].join(', ');
  }

  /** Fills in what the encoder did not say with what was measured. */
  settle(): void {
    const video = rateOf(this.#tracks.video);
    if (this.video) {
      this.video.targetFramerate ||= Math.round(video.perSecond);
      this.video.targetBitrate ||= Math.round(video.bits);
    }
    if (this.audio) this.audio.targetBitrate ||= Math.round(rateOf(this.#tracks.audio).bits);
  }

  #describe(payload: Buffer): void {
    try {
      const [name, metadata] = decodeAmf(payload);
      if (name === 'onMetaData' && typeof metadata === 'object' && metadata !== null)
        this.#metadata = metadata as Record<string, unknown>;
    } catch {
      // Metadata only describes; a stream is good without it.
    }
  }

  #number(name: string, factor = 1): number {
    const value = this.#metadata[name];
    return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value * factor) : 0;
  }

  #addVideo({ payload, timestampMs }: FlvTag): void {
    this.hasVideo = true;
    const [first = 0, kind] = payload;
    this.copiesVideo = (first & 0x8f) === AVC;
    if (!this.copiesVideo) this.video ??= this.#described(first);
    if (this.copiesVideo && kind === 0) {
      const { width, height, ...codec } = readAvcConfiguration(payload.subarray(5));
      this.video = {
        ...codec,
        videoWidth: width,
        videoHeight: height,
        encoder: this.#encoder,
        targetBitrate: this.#number('videodatarate', 1000),
        targetFramerate: this.#number('framerate'),
      };
      return;
    }
    if (this.copiesVideo && kind !== 1) return;
    if (first >> 4 === 1) {
      if (this.#lastKeyFrameMs !== undefined) this.#keyFrameIntervalMs = timestampMs - this.#lastKeyFrameMs;
      this.#lastKeyFrameMs = timestampMs;
    }
    note(this.#tracks.video, timestampMs, payload.length);
  }

  /** A codec that is not passed on: what the encoder says of it is all there is to know. */
  #described(first: number): VideoSettings {
    return {
      profile: '',
      level: '',
      codec: OTHER_CODECS[first & 0x8f] ?? 'unknown',
      encoder: this.#encoder,
      targetBitrate: this.#number('videodatarate', 1000),
      targetFramerate: this.#number('framerate'),
      videoHeight: this.#number('height'),
      videoWidth: this.#number('width'),
    };
  }

  get #encoder(): string {
    const { encoder } = this.#metadata;
    return typeof encoder === 'string' ? encoder.slice(0, 256) : '';
  }

  #addAudio({ payload, timestampMs }: FlvTag): void {
    this.hasAudio = true;
    const [first = 0, kind, high = 0, low = 0] = payload;
    this.copiesAudio = first >> 4 === AAC;
    if (this.copiesAudio && kind === 0) {
      this.audio = {
        codec: `mp4a.40.${high >> 3}`,
        targetBitrate: this.#number('audiodatarate', 1000),
        sampleRate: AAC_RATES[((high & 7) << 1) | (low >> 7)] ?? 0,
        channels: (low >> 3) & 0xf,
      };
    } else note(this.#tracks.audio, timestampMs, payload.length);
  }
}

function note(track: Track, atMs: number, bytes: number): void {
  track.samples.push({ atMs, bytes });
  track.bytes += bytes;
  // Also when time runs backwards, or a film of nothing but frames of one moment would fill the memory.
  while (track.samples.length > 2000 || atMs - (track.samples[0]?.atMs ?? atMs) > WINDOW_MS)
    track.bytes -= track.samples.shift()?.bytes ?? 0;
}

function rateOf({ samples, bytes }: Track): { bits: number; perSecond: number } {
  const first = samples[0];
  const last = samples.at(-1);
  const spanMs = first && last ? last.atMs - first.atMs : 0;
  if (spanMs <= 0) return { bits: 0, perSecond: 0 };
  const intervals = samples.length - 1;
  return {
    bits: (((bytes * intervals) / samples.length) * 8 * 1000) / spanMs,
    perSecond: (intervals * 1000) / spanMs,
  };
}
