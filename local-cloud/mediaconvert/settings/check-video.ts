import type { GifSettings, H264Settings, Output } from './create-job.ts';

type FrameRateSettings = Pick<
  GifSettings,
  'framerateControl' | 'framerateNumerator' | 'framerateDenominator'
>;

/** Rules between the settings of one video output. `automated`: MediaConvert chooses its size and bit rate. */
export function checkVideo(output: Output, path: string, automated: boolean, problems: string[]): void {
  const codecSettings = output.videoDescription?.codecSettings;
  const at = `${path}/videoDescription/codecSettings`;
  if (codecSettings?.codec === 'H_264')
    checkH264(codecSettings.h264Settings, `${at}/h264Settings`, automated, problems);
  if (codecSettings?.codec === 'GIF')
    checkFrameRate(codecSettings.gifSettings ?? {}, `${at}/gifSettings`, problems);
}

function checkH264(h264: H264Settings, at: string, automated: boolean, problems: string[]): void {
  if (h264.rateControlMode === 'QVBR') {
    if (h264.maxBitrate === undefined && !automated) problems.push(`${at}/maxBitrate: is required for QVBR`);
    if (h264.bitrate !== undefined) problems.push(`${at}/bitrate: does not go with QVBR; use maxBitrate`);
  } else {
    if (h264.bitrate === undefined) problems.push(`${at}/bitrate: is required for ${h264.rateControlMode}`);
    if (h264.qvbrSettings) problems.push(`${at}/qvbrSettings: goes with QVBR only`);
  }
  if (h264.maxBitrate !== undefined && h264.bitrate !== undefined && h264.maxBitrate < h264.bitrate) {
    problems.push(`${at}/maxBitrate: must not be below bitrate`);
  }
  checkFrameRate(h264, at, problems);
  if (h264.gopSizeUnits === 'FRAMES' && !Number.isInteger(h264.gopSize ?? 1)) {
    problems.push(`${at}/gopSize: must be a whole number of frames`);
  }
}

function checkFrameRate(settings: FrameRateSettings, at: string, problems: string[]): void {
  const hasRate = settings.framerateNumerator !== undefined && settings.framerateDenominator !== undefined;
  if (settings.framerateControl === 'SPECIFIED') {
    if (!hasRate)
      problems.push(`${at}: framerateNumerator and framerateDenominator are required for SPECIFIED`);
    else if ((settings.framerateNumerator ?? 0) / (settings.framerateDenominator ?? 1) > 120) {
      problems.push(`${at}/framerateNumerator: must not exceed 120 frames per second`);
    }
  } else if (settings.framerateNumerator !== undefined || settings.framerateDenominator !== undefined) {
    problems.push(`${at}/framerateNumerator: needs framerateControl SPECIFIED`);
  }
}
