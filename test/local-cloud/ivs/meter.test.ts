import { describe, expect, it } from 'vitest';
import { readAvcConfiguration } from '../../../local-cloud/ivs/live/avc.ts';
import { breachOf } from '../../../local-cloud/ivs/live/limits.ts';
import { IngestMeter } from '../../../local-cloud/ivs/live/meter.ts';
import type { Channel } from '../../../local-cloud/ivs/resources.ts';
import { encodeAmf } from '../../../local-cloud/ivs/rtmp/amf0.ts';
import { FLV_SCRIPT, FLV_VIDEO } from '../../../local-cloud/ivs/rtmp/flv.ts';

// Configurations that x264 made: 1920x1080 High 4.0 (cropped from 1088 rows), 640x360 Baseline 3.0.
const FULL_HD = Buffer.from(
  '01640028ffe1001b67640028acd940780227e5c044000003000400000300f03c60c65801000468ef8fcbfdf8f800',
  'hex',
);
const BASELINE = Buffer.from(
  '0142c01effe100196742c01eda0280bfe5c044000003000400000300f03c58ba8001000468ce0fc8',
  'hex',
);

const frame = (timestampMs: number, bytes: number, isKey: boolean) => {
  const payload = Buffer.alloc(bytes);
  payload[0] = isKey ? 0x17 : 0x27;
  payload[1] = 1;
  return { type: FLV_VIDEO, timestampMs, payload } as const;
};

function measure(framesPerSecond: number, bytesPerFrame: number, seconds: number): IngestMeter {
  const meter = new IngestMeter();
  for (let index = 0; index < framesPerSecond * seconds; index += 1)
    meter.add(frame((index * 1000) / framesPerSecond, bytesPerFrame, index % (framesPerSecond * 2) === 0));
  return meter;
}

describe('what comes in', () => {
  it('is known by its parameter sets', () => {
    expect(readAvcConfiguration(FULL_HD)).toEqual({
      profile: 'High',
      level: '4.0',
      codec: 'avc1.640028',
      width: 1920,
      height: 1080,
    });
    expect(readAvcConfiguration(BASELINE)).toMatchObject({ profile: 'Baseline', width: 640, height: 360 });
    expect(() => readAvcConfiguration(FULL_HD.subarray(0, 20))).toThrow();
    expect(() => readAvcConfiguration(Buffer.alloc(40))).toThrow();
  });

  it('is measured in media time, and described', () => {
    const meter = measure(30, 5000, 6);
    expect(meter.bitrate).toBeCloseTo(30 * 5000 * 8, -5);
    expect(meter.description).toMatch(/^sound, 1200 kbit\/s, a key frame every 2\.0 s$/);
  });

  it('is what its encoder says, and what was measured where it says nothing', () => {
    const meter = measure(25, 1000, 6);
    const metadata = encodeAmf('onMetaData', { encoder: 'obs-output', framerate: 0, videodatarate: 2500 });
    meter.add({ type: FLV_SCRIPT, timestampMs: 0, payload: metadata });
    const configuration = Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), FULL_HD]);
    meter.add({ type: FLV_VIDEO, timestampMs: 0, payload: configuration });
    meter.settle();
    expect(meter.video).toMatchObject({
      encoder: 'obs-output',
      targetBitrate: 2_500_000,
      targetFramerate: 25,
      videoWidth: 1920,
      videoHeight: 1080,
    });
  });
});

describe('the bit rate of a channel', () => {
  const channel = (type: Channel['type']) => ({ type }) as Channel;
  it('is limited by its type, once there is a rate', () => {
    const meter = measure(30, 20_000, 6);
    expect(breachOf(channel('BASIC'), meter, 6000)).toMatchObject({
      name: 'Ingest Bitrate',
      detail: { limit_value: 3_500_000, limit_unit: 'bits per second' },
    });
    expect(breachOf(channel('STANDARD'), meter, 6000)).toBeUndefined();
    expect(breachOf(channel('BASIC'), meter, 1000)).toBeUndefined();
    expect(breachOf(channel('STANDARD'), measure(30, 60_000, 6), 6000)?.name).toBe('Ingest Bitrate');
  });
});
