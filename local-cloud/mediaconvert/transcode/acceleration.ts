import type { MediaProbe } from '../../ffmpeg/index.ts';
import { containerFormat, probeCodec } from '../probe/codecs.ts';
import type { JobSettings } from '../settings/create-job.ts';
import { mainVideo } from './sources.ts';

/** Video codecs of an input that MediaConvert accelerates, by container. */
const ACCELERATED_INPUTS: Record<string, readonly string[]> = {
  matroska: ['AVC', 'MPEG2', 'MP4V', 'VC1'],
  mp4: ['AVC', 'HEVC', 'MPEG2'],
  mpegts: ['AVC', 'HEVC', 'MPEG2', 'VC1'],
  mxf: ['PRORES', 'AVC', 'JPEG2000', 'MPEG2', 'VC3'],
  quicktime: ['PRORES', 'AVC', 'JPEG2000', 'MPEG2'],
};

/**
 * Why MediaConvert would not run a job with accelerated transcoding; undefined when it would.
 * Rules: https://docs.aws.amazon.com/mediaconvert/latest/ug/job-requirements.html
 */
export function accelerationObstacle(settings: JobSettings, probe: MediaProbe): string | undefined {
  const outputs = settings.outputGroups.flatMap((group) => group.outputs);
  const captions = outputs.flatMap((output) => output.captionDescriptions ?? []);
  if (captions.some(({ destinationSettings }) => destinationSettings.destinationType === 'BURN_IN')) {
    return 'burn-in captions are not supported with accelerated transcoding';
  }
  if (!outputs.some((output) => output.videoDescription)) {
    return 'audio-only outputs are not supported with accelerated transcoding';
  }
  if (outputs.some((output) => output.containerSettings.container === 'GIF')) {
    return 'animated GIF outputs are not supported with accelerated transcoding';
  }
  const video = mainVideo(probe);
  const container = containerFormat(probe.container, probe.majorBrand, video?.codec) ?? probe.container;
  const codec = video ? probeCodec(video.codec) : 'no video';
  if (ACCELERATED_INPUTS[container]?.includes(codec)) return undefined;
  return `inputs of ${codec} in ${container} are not supported with accelerated transcoding`;
}
