import { sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import { userSummaryJson } from '../users/index.ts';
import { videoSummaryJson, videoVisibleTo } from '../videos/index.ts';
import type { WatchedVideo } from './history.views.ts';

// On the primary, or a replica of it.

/** The videos among these that the viewer may see, by id. */
export async function findWatched(
  db: Db,
  videoIds: readonly string[],
  viewerId: string,
): Promise<ReadonlyMap<string, WatchedVideo>> {
  const result = await db.execute(sql`
    SELECT ${videoSummaryJson('video')} AS video, ${userSummaryJson('owner')} AS channel
    FROM unnest(${textArray(videoIds)}::uuid[]) AS watched (id)
    JOIN videos AS video ON video.id = watched.id JOIN users AS owner ON owner.id = video.owner_id
    WHERE ${videoVisibleTo(viewerId)}`);
  return new Map((result.rows as unknown as WatchedVideo[]).map((row) => [row.video.id, row]));
}

/** The length of a video the viewer may see; undefined when they may not, null when it is not known. */
export async function findDuration(
  db: Db,
  videoId: string,
  viewerId: string,
): Promise<number | null | undefined> {
  const result = await db.execute(sql`
    SELECT video.duration_ms::float8 AS "durationMs" FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
    WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(viewerId)}`);
  return result.rows[0]?.durationMs as number | null | undefined;
}
