import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import type { DetailsInput } from './details.schemas.ts';
import type { Chapter } from './policy/chapters.ts';
import { videoVisibleTo } from './visibility.repository.ts';

const viewerOf = (viewerId: string | undefined): SQL => sql`${viewerId ?? null}::uuid`;

/**
 * The column `details` of a `VideoRow`, for a statement with `videos AS video`. The viewer's own rating counts at once,
 * whether or not the counters have caught up with it; dislikes are the owner's to see.
 */
export const detailColumns = (viewerId: string | undefined): SQL => {
  const viewer = viewerOf(viewerId);
  const atLeastOwn = (counter: SQL, rating: string): SQL =>
    sql`greatest(coalesce(${counter}, 0), (own.rating IS NOT DISTINCT FROM ${rating})::integer)`;
  return sql`(
    SELECT json_build_object('tags', video.tags, 'category', video.category, 'language', video.language,
      'licence', video.licence, 'chapters', video.chapters, 'endScreens', video.end_screens,
      'commentPolicy', video.comment_policy, 'comments', coalesce(counters.comments, 0),
      'likes', ${atLeastOwn(sql`counters.likes`, 'like')},
      'dislikes', CASE WHEN video.owner_id = ${viewer} THEN ${atLeastOwn(sql`counters.dislikes`, 'dislike')} END,
      'ownRating', own.rating)
    FROM (SELECT) AS once
    LEFT JOIN video_counters AS counters ON counters.video_id = video.id
    LEFT JOIN video_ratings AS own ON own.video_id = video.id AND own.user_id = ${viewer}) AS details`;
};

/** Columns of `videos` with the values given for them, for an INSERT or UPDATE. */
export function detailValues(details: DetailsInput): { readonly column: SQL; readonly value: SQL }[] {
  const values: { column: SQL; value: SQL }[] = [];
  const put = (column: SQL, value: SQL) => values.push({ column, value });
  if (details.tags !== undefined) {
    put(sql`tags`, sql`${textArray(details.tags.tags)}::text[]`);
    put(sql`tag_keys`, sql`${textArray(details.tags.keys)}::text[]`);
  }
  if (details.category !== undefined) put(sql`category`, sql`${details.category}::text`);
  if (details.language !== undefined) put(sql`language`, sql`${details.language}::text`);
  if (details.licence !== undefined) put(sql`licence`, sql`${details.licence}::text`);
  if (details.chapters !== undefined) put(sql`chapters`, sql`${JSON.stringify(details.chapters)}::jsonb`);
  if (details.end_screens !== undefined)
    put(sql`end_screens`, sql`${JSON.stringify(details.end_screens)}::jsonb`);
  if (details.comment_policy !== undefined) put(sql`comment_policy`, sql`${details.comment_policy}::text`);
  return values;
}

export interface VideoChapters {
  readonly chapters: readonly Chapter[];
  readonly description: string;
  readonly durationMs: number | null;
}

/** What the chapters of a video are made of, if the viewer may see it. */
export async function findChapters(
  db: Db,
  videoId: string,
  viewerId: string | undefined,
): Promise<VideoChapters | undefined> {
  const result = await db.execute(sql`
    SELECT video.chapters, video.description, video.duration_ms::float8 AS "durationMs"
    FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
    WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(viewerId)}`);
  return result.rows[0] as VideoChapters | undefined;
}
