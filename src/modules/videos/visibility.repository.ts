import { type SQL, sql } from 'drizzle-orm';

const viewerParameter = (viewerId: string | undefined): SQL => sql`${viewerId ?? null}::uuid`;

const isBlocked = (viewer: SQL): SQL =>
  sql`EXISTS (
    SELECT FROM blocks
    WHERE (blocker_id = video.owner_id AND blocked_id = ${viewer})
       OR (blocker_id = ${viewer} AND blocked_id = video.owner_id))`;

/** The condition that this viewer may see a video and read its page. */
export const videoVisibleTo = (viewerId: string | undefined, owner = 'owner'): SQL => {
  const viewer = viewerParameter(viewerId);
  return sql`(video.deleted_at IS NULL AND (video.owner_id = ${viewer} OR (
    video.state = 'published' AND ${sql.identifier(owner)}.status = 'active' AND NOT ${isBlocked(viewer)}
    AND video.visibility <> 'private')))`;
};
