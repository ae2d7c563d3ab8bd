import { findBox, readBoxes } from '../../mediaconvert/package/boxes.ts';

/** One movie fragment with its data, as it goes to players. */
export type Fragment = {
  data: Buffer;
  /** On the clock of the media. */
  startSeconds: number;
  durationSeconds: number;
  /** Starts with a key frame, or has no picture at all. */
  independent: boolean;
};

const MAX_BOX_BYTES = 32 << 20;
const NON_SYNC_SAMPLE = 0x1_0000;

type TrackInfo = { isVideo: boolean; timescale: number; duration: number; flags: number };

/** Cuts a fragmented MP4 that comes in pieces into its initialization segment and its fragments. */
export class FragmentReader {
  #pending: Buffer = Buffer.alloc(0);
  #head: Buffer[] = [];
  #moof: Buffer | undefined;
  /** Sound that came before any picture: it goes out with the picture. */
  #waiting: Buffer[] = [];
  #tracks = new Map<number, TrackInfo>();
  readonly #onInit: (init: Buffer) => void;
  readonly #onFragment: (fragment: Fragment) => void;

  constructor(onInit: (init: Buffer) => void, onFragment: (fragment: Fragment) => void) {
    this.#onInit = onInit;
    this.#onFragment = onFragment;
  }

  /** @throws Error when the bytes are no MP4 */
  read(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#pending.length >= 8) {
      const size = this.#pending.readUInt32BE(0);
      if (size < 8 || size > MAX_BOX_BYTES) throw new Error(`a box of ${size} bytes`);
      if (this.#pending.length < size) return;
      // Copied, so that what is kept does not keep everything that came with it.
      const box = Buffer.from(this.#pending.subarray(0, size));
      this.#pending = this.#pending.subarray(size);
      this.#onBox(box.toString('latin1', 4, 8), box);
    }
  }

  #onBox(type: string, box: Buffer): void {
    if (type === 'ftyp') this.#head = [box];
    else if (type === 'moov') {
      this.#tracks = readTracks(box.subarray(8));
      this.#onInit(Buffer.concat([...this.#head, box]));
    } else if (type === 'moof') this.#moof = box;
    else if (type === 'mdat' && this.#moof) {
      const moof = this.#moof;
      this.#moof = undefined;
      this.#waiting.push(moof, box);
      const measured = this.#measure(moof.subarray(8));
      if (measured.durationSeconds === 0) return;
      this.#onFragment({ data: Buffer.concat(this.#waiting), ...measured });
      this.#waiting = [];
    }
  }

  #measure(moof: Buffer): Omit<Fragment, 'data'> {
    const hasVideo = [...this.#tracks.values()].some(({ isVideo }) => isVideo);
    let startSeconds = 0;
    let durationSeconds = 0;
    let independent = !hasVideo;
    for (const { type, content } of readBoxes(moof)) {
      const tfhd = type === 'traf' ? findBox(content, 'tfhd') : undefined;
      const track = tfhd && this.#tracks.get(tfhd.readUInt32BE(4));
      if (!tfhd || !track || (hasVideo && !track.isVideo)) continue;
      const run = readRuns(content, tfhd, track);
      const tfdt = findBox(content, 'tfdt');
      if (tfdt)
        startSeconds =
          (tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4)) / track.timescale;
      durationSeconds += run.duration / track.timescale;
      if (track.isVideo) independent = run.startsWithKeyFrame;
    }
    return { startSeconds, durationSeconds, independent };
  }
}

function readTracks(moov: Buffer): Map<number, TrackInfo> {
  const tracks = new Map<number, TrackInfo>();
  for (const { type, content } of readBoxes(moov)) {
    if (type !== 'trak') continue;
    const tkhd = findBox(content, 'tkhd');
    const mdhd = findBox(content, 'mdia/mdhd');
    const hdlr = findBox(content, 'mdia/hdlr');
    if (!tkhd || !mdhd || !hdlr) continue;
    tracks.set(tkhd.readUInt32BE(tkhd[0] === 1 ? 20 : 12), {
      isVideo: hdlr.toString('latin1', 8, 12) === 'vide',
      timescale: mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12),
      duration: 0,
      flags: 0,
    });
  }
  for (const { type, content } of readBoxes(findBox(moov, 'mvex') ?? Buffer.alloc(0))) {
    const track = type === 'trex' ? tracks.get(content.readUInt32BE(4)) : undefined;
    if (track) {
      track.duration = content.readUInt32BE(12);
      track.flags = content.readUInt32BE(20);
    }
  }
  return tracks;
}

/** Duration and first sample of a track fragment (ISO/IEC 14496-12 §8.8.7, §8.8.8). */
function readRuns(
  traf: Buffer,
  tfhd: Buffer,
  track: TrackInfo,
): { duration: number; startsWithKeyFrame: boolean } {
  const present = tfhd.readUInt32BE(0) & 0xffffff;
  let offset = 8 + (present & 0x01 ? 8 : 0) + (present & 0x02 ? 4 : 0);
  const defaultDuration = present & 0x08 ? tfhd.readUInt32BE(offset) : track.duration;
  offset += (present & 0x08 ? 4 : 0) + (present & 0x10 ? 4 : 0);
  const defaultFlags = present & 0x20 ? tfhd.readUInt32BE(offset) : track.flags;
  let duration = 0;
  let firstFlags: number | undefined;
  for (const { type, content } of readBoxes(traf)) {
    if (type !== 'trun') continue;
    const flags = content.readUInt32BE(0) & 0xffffff;
    const samples = content.readUInt32BE(4);
    let at = 8 + (flags & 0x01 ? 4 : 0);
    if (flags & 0x04) {
      firstFlags ??= content.readUInt32BE(at);
      at += 4;
    }
    const stride = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
    if (samples > 0 && flags & 0x400)
      firstFlags ??= content.readUInt32BE(at + (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0));
    if (!(flags & 0x100)) duration += samples * defaultDuration;
    else
      for (let index = 0; index < samples; index += 1) duration += content.readUInt32BE(at + index * stride);
  }
  return { duration, startsWithKeyFrame: ((firstFlags ?? defaultFlags) & NON_SYNC_SAMPLE) === 0 };
}
