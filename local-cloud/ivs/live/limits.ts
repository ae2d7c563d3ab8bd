import type { Channel } from '../resources.ts';
import type { IngestMeter } from './meter.ts';

/** What a channel takes in at most ("IVS Streaming Configuration"), by its type. */
const MAX_BITRATE: Readonly<Record<Channel['type'], number>> = {
  BASIC: 3_500_000,
  STANDARD: 8_500_000,
  ADVANCED_SD: 8_500_000,
  ADVANCED_HD: 8_500_000,
};
const MAX_PIXELS = 1920 * 1080;
/** Rates are looked at from then on: a first key frame alone is no rate. */
const MEASURED_AFTER_MS = 4000;

export type Breach = {
  name: 'Ingest Bitrate' | 'Ingest Resolution';
  detail: { limit_value: number; exceeded_by: number; limit_unit: string };
};

/** A limit that an ingest exceeds, if it does. A tenth more is let pass, as encoders vary. */
export function breachOf(channel: Channel, meter: IngestMeter, mediaMs: number): Breach | undefined {
  const pixels = (meter.video?.videoWidth ?? 0) * (meter.video?.videoHeight ?? 0);
  if (pixels > MAX_PIXELS)
    return {
      name: 'Ingest Resolution',
      detail: { limit_value: MAX_PIXELS, exceeded_by: pixels - MAX_PIXELS, limit_unit: 'pixels' },
    };
  const limit = MAX_BITRATE[channel.type];
  const bitrate = mediaMs >= MEASURED_AFTER_MS ? Math.round(meter.bitrate) : 0;
  if (bitrate > limit * 1.1)
    return {
      name: 'Ingest Bitrate',
      detail: { limit_value: limit, exceeded_by: bitrate - limit, limit_unit: 'bits per second' },
    };
  return undefined;
}
