import { sql } from 'drizzle-orm';

/**
 * Key of the picture a video is shown by: the still its owner chose, else the picture they gave, else the second still, since
 * films often open in black. `alias` is the table alias of `videos` in the query, never input.
 */
export const thumbnailKeyOf = (alias: string) => {
  const video = sql.identifier(alias);
  const still = sql`SELECT thumbnails.object_key FROM thumbnails
    WHERE thumbnails.video_id = ${video}.id AND thumbnails.revision = ${video}.revision`;
  return sql`coalesce(
    (${still} AND thumbnails.position = ${video}.thumbnail_position), ${video}.custom_thumbnail_key,
    (${still} ORDER BY (thumbnails.position = 1) DESC, thumbnails.position LIMIT 1))`;
};

/**
 * A JSON object with the columns of `VideoSummaryRow`, for hydrating a joined video in one statement:
 * `SELECT ..., ${videoSummaryJson('video')} AS video FROM posts LEFT JOIN videos AS video ON ...`.
 * `alias` is the table alias of `videos` in the query, never input.
 */
export const videoSummaryJson = (alias: string) => {
  const video = sql.identifier(alias);
  return sql`json_build_object(
    'id', ${video}.id, 'title', ${video}.title, 'state', ${video}.state, 'durationMs', ${video}.duration_ms,
    'viewCount', coalesce((SELECT views FROM video_counters WHERE video_id = ${video}.id), 0),
    'width', ${video}.width, 'height', ${video}.height, 'hlsKey', ${video}.hls_key, 'dashKey', ${video}.dash_key,
    'stillsOpen', coalesce(${video}.open_prefix = 'open/' || substr(coalesce(${video}.media_prefix,
      'media/' || ${video}.id::text || '/v' || ${video}.revision::text || '/'), 7), false),
    'thumbnailKey', ${thumbnailKeyOf(alias)})`;
};
