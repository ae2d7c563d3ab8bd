import type { Refusal } from './viewers.ts';

const PLAYLIST = 'application/vnd.apple.mpegurl';

export type Answer = { status: number; type: string; body: Buffer | string; cache: string };

export const refusalOf = ({ status, code, message }: Refusal): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify([{ error: message, error_code: code, type: 'error' }]),
  cache: 'no-store',
});
export const noStream = refusalOf({
  status: 404,
  code: 'transcode_does_not_exist',
  message: 'Can not find channel',
});
export const nothing = refusalOf({ status: 404, code: 'not_found', message: 'Not found' });
export const playlist = (body: string): Answer => ({ status: 200, type: PLAYLIST, body, cache: 'no-cache' });
export const media = (body: Buffer): Answer => ({
  status: 200,
  type: 'video/mp4',
  body,
  cache: 'max-age=60',
});
