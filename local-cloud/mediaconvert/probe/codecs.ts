import type { VideoStream } from '../../ffmpeg/index.ts';

const CODECS: Record<string, string> = {
  aac: 'AAC',
  ac3: 'AC3',
  amr_nb: 'AMR',
  amr_wb: 'AMR',
  av1: 'AV1',
  dvvideo: 'DV',
  eac3: 'EAC3',
  flac: 'FLAC',
  h263: 'H263',
  h264: 'AVC',
  hevc: 'HEVC',
  jpeg2000: 'JPEG2000',
  mjpeg: 'MJPEG',
  mp2: 'MP2',
  mp3: 'MP3',
  mpeg1video: 'MPEG1',
  mpeg2video: 'MPEG2',
  mpeg4: 'MP4V',
  opus: 'OPUS',
  prores: 'PRORES',
  qtrle: 'QTRLE',
  rawvideo: 'UNCOMPRESSED',
  theora: 'THEORA',
  vc1: 'VC1',
  dnxhd: 'VC3',
  vorbis: 'VORBIS',
  vp8: 'VP8',
  vp9: 'VP9',
  webvtt: 'WEBVTT',
  wmav1: 'WMA',
  wmav2: 'WMA2',
  wmapro: 'WMAPRO',
};

/** MediaConvert's name of a codec that ffmpeg calls `name`; UNKNOWN when it has none. */
export function probeCodec(name: string): string {
  return CODECS[name] ?? (name.startsWith('pcm_') ? 'PCM' : 'UNKNOWN');
}

/** Bits per colour component, from ffmpeg's pixel format name. */
export function bitDepth(pixelFormat: string | undefined): number {
  const match = /p(9|10|12|14|16)(le|be)$/.exec(pixelFormat ?? '');
  return match ? Number(match[1]) : 8;
}

const BRANDS: Record<string, string> = {
  qt: 'quicktime',
  '3gp4': 'three_gp',
  '3gp5': 'three_gp',
  '3g2a': 'three_g2',
};

const CONTAINERS: Record<string, string> = {
  aac: 'aac',
  ac3: 'ac3',
  asf: 'asf',
  avi: 'avi',
  eac3: 'eac3',
  flac: 'flac',
  mp3: 'mp3',
  mpeg: 'mpegps',
  mpegts: 'mpegts',
  mxf: 'mxf',
  ogg: 'ogg',
  wav: 'wave',
};

/** MediaConvert's name of a container; undefined for formats that Probe does not recognise. */
export function containerFormat(
  demuxer: string,
  majorBrand: string | undefined,
  videoCodec: string | undefined,
) {
  if (demuxer.startsWith('mov,')) return BRANDS[majorBrand ?? ''] ?? (majorBrand ? 'mp4' : 'quicktime');
  if (demuxer.startsWith('matroska')) {
    return videoCodec === undefined || /^(vp8|vp9|av1)$/.test(videoCodec) ? 'webm' : 'matroska';
  }
  return CONTAINERS[demuxer];
}

const MIME_TYPES: Record<string, string> = {
  aac: 'audio/aac',
  asf: 'video/x-ms-asf',
  avi: 'video/x-msvideo',
  flac: 'audio/flac',
  matroska: 'video/x-matroska',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
  mpegps: 'video/mpeg',
  mpegts: 'video/mp2t',
  mxf: 'application/mxf',
  ogg: 'application/ogg',
  quicktime: 'video/quicktime',
  three_g2: 'video/3gpp2',
  three_gp: 'video/3gpp',
  wave: 'audio/wav',
  webm: 'video/webm',
};

export function mimeType(format: string | undefined): string {
  return MIME_TYPES[format ?? ''] ?? 'application/octet-stream';
}

// https://docs.aws.amazon.com/mediaconvert/latest/apireference/probe.html, by the values of ITU-T H.273 that ffmpeg names.
const PRIMARIES: Record<string, string> = {
  bt709: 'ITU_709',
  bt470m: 'ITU_470M',
  bt470bg: 'ITU_470BG',
  smpte170m: 'SMPTE_170M',
  smpte240m: 'SMPTE_240M',
  film: 'GENERIC_FILM',
  bt2020: 'ITU_2020',
  smpte428: 'SMPTE_428_1',
  smpte431: 'SMPTE_431_2',
  smpte432: 'SMPTE_EG_432_1',
  ebu3213: 'EBU_3213_E',
};
const TRANSFERS: Record<string, string> = {
  bt709: 'ITU_709',
  bt470m: 'ITU_470M',
  bt470bg: 'ITU_470BG',
  smpte170m: 'SMPTE_170M',
  smpte240m: 'SMPTE_240M',
  linear: 'LINEAR',
  'iec61966-2-1': 'IEC_61966_2_1',
  'iec61966-2-4': 'IEC_61966_2_4',
  bt1361e: 'ITU_1361',
  'bt2020-10': 'ITU_2020_10bit',
  'bt2020-12': 'ITU_2020_12bit',
  smpte2084: 'SMPTE_2084',
  smpte428: 'SMPTE_428_1',
  'arib-std-b67': 'ARIB_B67',
};
const MATRICES: Record<string, string> = {
  gbr: 'RGB',
  bt709: 'ITU_709',
  fcc: 'FCC',
  bt470bg: 'ITU_470BG',
  smpte170m: 'SMPTE_170M',
  smpte240m: 'SMPTE_240M',
  bt2020nc: 'ITU_2020_NCL',
  bt2020c: 'ITU_2020_CL',
  smpte2085: 'SMPTE_2085',
  ictcp: 'ITU_2100ICtCp',
};

/** The colours of a track by MediaConvert's names. */
export const probeColors = ({ primaries, transfer, matrix }: VideoStream['colors']) => ({
  colorPrimaries: PRIMARIES[primaries ?? ''] ?? 'UNSPECIFIED',
  transferCharacteristics: TRANSFERS[transfer ?? ''] ?? 'UNSPECIFIED',
  matrixCoefficients: MATRICES[matrix ?? ''] ?? 'UNSPECIFIED',
});
