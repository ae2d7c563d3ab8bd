import type { JobSettings } from '../../../integrations/aws/mediaconvert-wire.ts';

/**
 * What a film's colours ask of its encode. `pq` and `hlg` have a high dynamic range (ITU-R BT.2100), `wide` has ordinary
 * brightness in the primaries or the matrix of BT.2020; everything else, and what says nothing, is `plain`.
 */
export const colours = ['plain', 'wide', 'pq', 'hlg'] as const;
export type Colour = (typeof colours)[number];

/** As a container or a probe tells them, under whatever names; null or absent when it does not. */
export interface ToldColours {
  readonly primaries?: string | null | undefined;
  readonly transfer?: string | null | undefined;
  readonly matrix?: string | null | undefined;
}

// The names of WebCodecs, and those of MediaConvert's Probe.
const pqTransfers = new Set(['pq', 'SMPTE_2084']);
const hlgTransfers = new Set(['hlg', 'ARIB_B67']);
const widePrimaries = new Set(['bt2020', 'ITU_2020']);
const wideMatrices = new Set(['bt2020-ncl', 'ITU_2020_NCL', 'ITU_2020_CL', 'ITU_2100ICtCp']);

export function colourOf({ primaries, transfer, matrix }: ToldColours): Colour {
  if (pqTransfers.has(transfer ?? '')) return 'pq';
  if (hlgTransfers.has(transfer ?? '')) return 'hlg';
  return widePrimaries.has(primaries ?? '') || wideMatrices.has(matrix ?? '') ? 'wide' : 'plain';
}

type Output = NonNullable<NonNullable<JobSettings['OutputGroups']>[number]['Outputs']>[number];

/**
 * The part of a video output that makes BT.709 of anything else: 8-bit H.264, JPEG and GIF cannot carry more, and players
 * without high dynamic range would show it grey. The tone mappers are those MediaConvert recommends for HDR10 and uses for HLG
 * in any case (https://docs.aws.amazon.com/mediaconvert/latest/ug/converting-the-color-space.html).
 */
export function toBt709(colour: Colour): Pick<NonNullable<Output['VideoDescription']>, 'VideoPreprocessors'> {
  switch (colour) {
    case 'plain':
      return {};
    case 'wide':
      return { VideoPreprocessors: { ColorCorrector: { ColorSpaceConversion: 'FORCE_709' } } };
    case 'pq':
    case 'hlg':
      return {
        VideoPreprocessors: {
          ColorCorrector: {
            ColorSpaceConversion: 'FORCE_709',
            HdrToSdrToneMapper: colour === 'pq' ? 'VIBRANT' : 'PRESERVE_DETAILS',
          },
        },
      };
  }
}
