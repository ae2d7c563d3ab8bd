/**
 * Demuxers an uploaded file may be read with. Formats that refer to other files or addresses (HLS and DASH
 * playlists, concat scripts, image sequences, subtitles) are left out on purpose: a playlist renamed to `.mp4` would
 * otherwise make ffmpeg read local files or call out to the network.
 */
const MEDIA_DEMUXERS = [
  '3g2',
  '3gp',
  'aac',
  'ac3',
  'aiff',
  'amr',
  'asf',
  'avi',
  'caf',
  'dv',
  'eac3',
  'flac',
  'flv',
  'gxf',
  'h264',
  'hevc',
  'ivf',
  'm4a',
  'm4v',
  'matroska',
  'mj2',
  'mov',
  'mp3',
  'mp4',
  'mpeg',
  'mpegts',
  'mpegvideo',
  'mxf',
  'ogg',
  'rm',
  'wav',
  'webm',
  'wtv',
  'y4m',
  'yuv4mpegpipe',
];

/** Input options to put before every `-i` that names an uploaded audio or video file. */
export const INPUT_GUARD: readonly string[] = [
  '-protocol_whitelist',
  'file',
  '-format_whitelist',
  MEDIA_DEMUXERS.join(','),
];

/** The same for an uploaded still image (a watermark): one picture, no sequences. */
export const IMAGE_INPUT_GUARD: readonly string[] = [
  '-protocol_whitelist',
  'file',
  '-format_whitelist',
  'png_pipe,bmp_pipe,jpeg_pipe',
];
