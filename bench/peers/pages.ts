import { createHmac } from 'node:crypto';
import { encodeId } from '../../src/shared/ids.ts';

// The JSON of the API, made from rows of the recorded statements by hand.

interface SummaryRow {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly avatarKey: string | null;
}

interface FacetRow {
  readonly type: string;
  readonly byteStart: number;
  readonly byteEnd: number;
  readonly tag: string;
}

export interface PostRow {
  readonly id: string;
  readonly text: string;
  readonly facets: readonly FacetRow[];
  readonly createdAt: string;
  readonly author: SummaryRow;
  readonly video: {
    readonly id: string;
    readonly title: string;
    readonly state: string;
    readonly durationMs: number | null;
    readonly width: number | null;
    readonly height: number | null;
    readonly hlsKey: string | null;
    readonly dashKey: string | null;
    readonly thumbnailKey: string | null;
  } | null;
  readonly likes: number;
  readonly liked: boolean;
}

export interface VideoRow {
  readonly id: string;
  readonly owner: SummaryRow;
  readonly title: string;
  readonly description: string;
  readonly visibility: string;
  readonly state: string;
  readonly progressPercent: number;
  readonly durationMs: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly renditions: readonly {
    readonly name: string;
    readonly width: number;
    readonly height: number;
    readonly maxBitrate: number;
  }[];
  readonly thumbnailKeys: readonly string[];
  readonly hlsKey: string | null;
  readonly dashKey: string | null;
  readonly createdAt: string;
  readonly publishedAt: string | null;
}

const pageSize = 20;

const mediaUrl = (base: string, key: string | null): string | null =>
  key === null ? null : `${base}/${key.split('/').map(encodeURIComponent).join('/')}`;

const seconds = (durationMs: number | null): number | null =>
  durationMs === null ? null : durationMs / 1_000;

const person = (row: SummaryRow, cdn: string): unknown => ({
  id: encodeId('user', row.id),
  username: row.username,
  display_name: row.displayName,
  avatar_url: mediaUrl(cdn, row.avatarKey),
});

/** A page of the home feed from one row more than fits on it. */
export function postPage(
  rows: readonly PostRow[],
  site: { readonly viewer: string; readonly cdnBaseUrl: string; readonly cursorSecret: string },
): unknown {
  const cdn = site.cdnBaseUrl;
  const page = rows.slice(0, pageSize);
  return {
    data: page.map((row) => ({
      id: encodeId('post', row.id),
      author: person(row.author, cdn),
      text: row.text,
      facets: row.facets.map(({ type, byteStart, byteEnd, tag }) => ({
        type,
        byte_start: byteStart,
        byte_end: byteEnd,
        tag,
      })),
      video:
        row.video === null
          ? null
          : {
              id: encodeId('video', row.video.id),
              title: row.video.title,
              state: row.video.state,
              duration_seconds: seconds(row.video.durationMs),
              width: row.video.width,
              height: row.video.height,
              thumbnail_url: mediaUrl(cdn, row.video.thumbnailKey),
              hls_url: mediaUrl(cdn, row.video.hlsKey),
              dash_url: mediaUrl(cdn, row.video.dashKey),
            },
      like_count: row.likes,
      liked: row.liked,
      created_at: row.createdAt,
    })),
    next_cursor: rows.length > pageSize ? cursor(page.at(-1)?.id ?? '', site) : null,
  };
}

/** The position, signed for this list and viewer. */
function cursor(
  position: string,
  { viewer, cursorSecret }: { readonly viewer: string; readonly cursorSecret: string },
): string {
  const payload = JSON.stringify(position);
  const tag = createHmac('sha256', cursorSecret)
    .update(`${JSON.stringify(['cursor.v1', 'feed:home', [], viewer])}\0${payload}`)
    .digest()
    .subarray(0, 16);
  return Buffer.concat([tag, Buffer.from(payload)]).toString('base64url');
}

/** The page of a published video. */
export const videoPage = (row: VideoRow, cdn: string): unknown => ({
  id: encodeId('video', row.id),
  owner: person(row.owner, cdn),
  title: row.title,
  description: row.description,
  visibility: row.visibility,
  state: row.state,
  progress_percent: row.progressPercent,
  phase: null,
  failure: null,
  duration_seconds: seconds(row.durationMs),
  width: row.width,
  height: row.height,
  renditions: row.renditions.map(({ name, width, height, maxBitrate }) => ({
    name,
    width,
    height,
    max_bitrate: maxBitrate,
  })),
  thumbnails: row.thumbnailKeys.map((key) => mediaUrl(cdn, key)),
  hls_url: mediaUrl(cdn, row.hlsKey),
  dash_url: mediaUrl(cdn, row.dashKey),
  created_at: row.createdAt,
  published_at: row.publishedAt,
});
