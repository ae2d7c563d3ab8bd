import type { VideoStream } from '../../ffmpeg/index.ts';
import type { VideoDescription } from '../settings/create-job.ts';

type ColorCorrector = NonNullable<NonNullable<VideoDescription['videoPreprocessors']>['colorCorrector']>;

/** VIBRANT keeps saturated and bright areas so, PRESERVE_DETAILS (the default) rolls them off. */
const TONE_MAPPERS = { PRESERVE_DETAILS: 'hable', VIBRANT: 'mobius' } as const;

/** The colours of the source, with those it does not tell: zimg converts from nothing it is not told. */
const stated = ({ colors }: VideoStream, transfer: string): string =>
  `setparams=color_primaries=${colors.primaries ?? 'bt2020'}:color_trc=${colors.transfer ?? transfer}:colorspace=${colors.matrix ?? 'bt2020nc'}`;

/**
 * Filters for an output's colour correction, each with a comma before it; empty when nothing is asked for. High dynamic
 * range is mapped to Rec. 709 by zimg and ffmpeg's `tonemap`, at 100 nits for reference white;
 * the wide primaries of Rec. 2020 at ordinary range by zimg alone.
 */
export function colorFilters(corrector: ColorCorrector | undefined, video: VideoStream | undefined): string {
  if (!corrector) return '';
  const filters: string[] = [];
  if (corrector.colorSpaceConversion === 'FORCE_709') {
    if (video?.dynamicRange === 'high') {
      const mapper = TONE_MAPPERS[corrector.hdrToSdrToneMapper ?? 'PRESERVE_DETAILS'];
      filters.push(
        stated(video, 'smpte2084'),
        'zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709',
        `tonemap=tonemap=${mapper}:desat=0`,
        'zscale=t=bt709:m=bt709:r=tv,format=yuv420p',
      );
    } else if (video?.colors.primaries === 'bt2020') {
      filters.push(stated(video, 'bt2020-10'), 'zscale=p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p');
    } else {
      filters.push(
        'scale=out_color_matrix=bt709,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709',
      );
    }
  }
  if (corrector.sampleRangeConversion === 'LIMITED_RANGE_SQUEEZE') filters.push('scale=out_range=tv');
  return filters.map((filter) => `,${filter}`).join('');
}
