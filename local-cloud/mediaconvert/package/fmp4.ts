import { findBox, readBoxes } from './boxes.ts';

/** What a manifest needs to know about a track, read from its initialization segment. */
export type TrackHeader = {
  /** Ticks per second of the track's timestamps. */
  timescale: number;
  /** RFC 6381 codec string, such as `avc1.42c01e` or `mp4a.40.2`. */
  codec: string;
  /** Sample duration for fragments that do not carry their own, in ticks. */
  defaultSampleDuration: number;
  width?: number;
  height?: number;
  channels?: number;
  sampleRate?: number;
};

const NON_SYNC_SAMPLE = 0x1_0000;

/** Timing of one media segment, in ticks of its track. */
export type SegmentTiming = { startTicks: number; durationTicks: number; samples: number };

/**
 * Reads an fMP4 initialization segment with one track (ISO/IEC 14496-12, -14, -15).
 * @throws Error when it is not one, or when its codec is neither H.264 nor AAC.
 */
export function readTrackHeader(init: Buffer): TrackHeader {
  const mdhd = required(findBox(init, 'moov/trak/mdia/mdhd'), 'mdhd');
  const timescale = mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12);
  const trex = findBox(init, 'moov/mvex/trex');
  const stsd = required(findBox(init, 'moov/trak/mdia/minf/stbl/stsd'), 'stsd');
  const [entry] = readBoxes(stsd.subarray(8));
  const shared = { timescale, defaultSampleDuration: trex?.readUInt32BE(12) ?? 0 };
  if (entry?.type === 'avc1' || entry?.type === 'avc3') {
    const avcC = required(findBox(entry.content.subarray(78), 'avcC'), 'avcC');
    return {
      ...shared,
      codec: `${entry.type}.${avcC.toString('hex', 1, 4)}`,
      width: entry.content.readUInt16BE(24),
      height: entry.content.readUInt16BE(26),
    };
  }
  if (entry?.type === 'mp4a') {
    const esds = required(findBox(entry.content.subarray(28), 'esds'), 'esds');
    return {
      ...shared,
      codec: `mp4a.40.${audioObjectType(esds)}`,
      channels: entry.content.readUInt16BE(16),
      sampleRate: entry.content.readUInt16BE(24),
    };
  }
  throw new Error(`unexpected sample entry ${entry?.type ?? 'none'}`);
}

/**
 * Sums up the fragments of one media segment.
 * @throws Error when it holds no fragment.
 */
export function readSegmentTiming(segment: Buffer, header: TrackHeader): SegmentTiming {
  let startTicks: number | undefined;
  let durationTicks = 0;
  let samples = 0;
  for (const box of readBoxes(segment)) {
    if (box.type !== 'moof') continue;
    const traf = required(findBox(box.content, 'traf'), 'traf');
    const tfdt = required(findBox(traf, 'tfdt'), 'tfdt');
    startTicks ??= tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
    const fallback =
      fragmentSampleDuration(required(findBox(traf, 'tfhd'), 'tfhd')) ?? header.defaultSampleDuration;
    for (const inner of readBoxes(traf)) {
      if (inner.type !== 'trun') continue;
      const run = readRun(inner.content, fallback);
      durationTicks += run.durationTicks;
      samples += run.samples;
    }
  }
  if (startTicks === undefined) throw new Error('the segment holds no movie fragment');
  return { startTicks, durationTicks, samples };
}

/**
 * The first sample of a fragment, when it is a key frame: when it starts, and where it ends counted from the start of
 * the `moof` box. `moof` is that box without its header, `moofBytes` its size with it.
 */
export function readKeyFrame(
  moof: Buffer,
  moofBytes: number,
): { startTicks: number; endOffset: number } | undefined {
  const traf = findBox(moof, 'traf');
  const tfhd = traf && findBox(traf, 'tfhd');
  const tfdt = traf && findBox(traf, 'tfdt');
  const trun = traf && findBox(traf, 'trun');
  if (!tfhd || !tfdt || !trun || trun.readUInt32BE(4) === 0) return undefined;
  const flags = trun.readUInt32BE(0) & 0xffffff;
  const defaults = fragmentDefaults(tfhd);
  let offset = 8;
  const dataOffset = flags & 0x01 ? trun.readInt32BE(offset) : moofBytes + 8;
  if (flags & 0x01) offset += 4;
  const firstFlags = flags & 0x04 ? trun.readUInt32BE(offset) : undefined;
  if (flags & 0x04) offset += 4;
  if (flags & 0x100) offset += 4;
  const size = flags & 0x200 ? trun.readUInt32BE(offset) : defaults.size;
  if (flags & 0x200) offset += 4;
  const sampleFlags = firstFlags ?? (flags & 0x400 ? trun.readUInt32BE(offset) : defaults.flags);
  if (size === undefined || (sampleFlags ?? 0) & NON_SYNC_SAMPLE) return undefined;
  const startTicks = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
  return { startTicks, endOffset: dataOffset + size };
}

function fragmentDefaults(tfhd: Buffer): { size: number | undefined; flags: number | undefined } {
  const present = tfhd.readUInt32BE(0) & 0xffffff;
  let offset = 8 + (present & 0x01 ? 8 : 0) + (present & 0x02 ? 4 : 0) + (present & 0x08 ? 4 : 0);
  const size = present & 0x10 ? tfhd.readUInt32BE(offset) : undefined;
  if (present & 0x10) offset += 4;
  return { size, flags: present & 0x20 ? tfhd.readUInt32BE(offset) : undefined };
}

function fragmentSampleDuration(tfhd: Buffer): number | undefined {
  const flags = tfhd.readUInt32BE(0) & 0xffffff;
  if (!(flags & 0x08)) return undefined;
  return tfhd.readUInt32BE(8 + (flags & 0x01 ? 8 : 0) + (flags & 0x02 ? 4 : 0));
}

function readRun(trun: Buffer, fallbackDuration: number): { durationTicks: number; samples: number } {
  const flags = trun.readUInt32BE(0) & 0xffffff;
  const samples = trun.readUInt32BE(4);
  if (!(flags & 0x100)) return { durationTicks: samples * fallbackDuration, samples };
  const stride = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length * 4;
  let offset = 8 + (flags & 0x01 ? 4 : 0) + (flags & 0x04 ? 4 : 0);
  let durationTicks = 0;
  for (let index = 0; index < samples; index += 1) {
    durationTicks += trun.readUInt32BE(offset);
    offset += stride;
  }
  return { durationTicks, samples };
}

/** Audio object type from the DecoderSpecificInfo inside an `esds` box: 2 is AAC-LC. */
function audioObjectType(esds: Buffer): number {
  for (let offset = 4; offset < esds.length; ) {
    const tag = esds[offset];
    offset += 1;
    let length = 0;
    let byte: number;
    do {
      byte = esds[offset] ?? 0;
      offset += 1;
      length = length * 128 + (byte & 0x7f);
    } while (byte & 0x80);
    if (tag === 0x03) offset += 3;
    else if (tag === 0x04) offset += 13;
    else if (tag === 0x05) return (esds[offset] ?? 0) >> 3;
    else offset += length;
  }
  return 2;
}

function required(content: Buffer | undefined, name: string): Buffer {
  if (!content) throw new Error(`the ${name} box is missing`);
  return content;
}
