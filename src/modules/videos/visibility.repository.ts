import { type SQL, sql } from 'drizzle-orm';

const viewerParameter = (viewerId: string | undefined): SQL => sql`${viewerId ?? null}::uuid`;

const follows = (viewer: SQL): SQL =>
  sql`EXISTS (SELECT FROM follows WHERE follower_id = ${viewer} AND followee_id = video.owner_id)`;

/** The condition that the viewer is a member of the owner's channel now. */
const isMember = (viewer: SQL): SQL =>
  sql`EXISTS (
    SELECT FROM channel_members AS member
    WHERE member.owner_id = video.owner_id AND member.user_id = ${viewer}
      AND (member.expires_at IS NULL OR member.expires_at > now()))`;

const isBlocked = (viewer: SQL): SQL =>
  sql`EXISTS (
    SELECT FROM blocks
    WHERE (blocker_id = video.owner_id AND blocked_id = ${viewer})
       OR (blocker_id = ${viewer} AND blocked_id = video.owner_id))`;

/** The columns of `Standing`, for a statement with `videos AS video`. */
export const standingColumns = (viewerId: string | undefined): SQL => {
  const viewer = viewerParameter(viewerId);
  return sql`video.owner_id IS NOT DISTINCT FROM ${viewer} AS "isOwner", ${isBlocked(viewer)} AS "isBlocked",
    ${follows(viewer)} AS "isFollower", ${isMember(viewer)} AS "isMember"`;
};

const shows: SQL = sql`video.deleted_at IS NULL AND video.replaces_id IS NULL`;

const visibleTo = (viewerId: string | undefined, owner: string, open: SQL): SQL => {
  const viewer = viewerParameter(viewerId);
  return sql`(${shows} AND (video.owner_id = ${viewer} OR (
    video.state = 'published' AND (video.publish_at IS NULL OR video.publish_at <= now())
    AND ${sql.identifier(owner)}.status = 'active' AND NOT ${isBlocked(viewer)}
    AND (${open} OR (video.visibility = 'followers' AND ${follows(viewer)})
      OR (video.visibility = 'members' AND ${isMember(viewer)})))))`;
};

/**
 * The condition that this viewer may see a video and read its page (`maySee` of the playback policy), for a statement with
 * `videos AS video` and `users` of the owner as `owner`, which is never input. Whether they may play it is decided when
 * its addresses are signed.
 */
export const videoVisibleTo = (viewerId: string | undefined, owner = 'owner'): SQL =>
  visibleTo(viewerId, owner, sql`video.visibility IN ('public', 'unlisted')`);

/** The same for lists (`isListedFor`): what is unlisted stands in none but the owner's. */
export const videoListedFor = (viewerId: string | undefined, owner = 'owner'): SQL =>
  visibleTo(viewerId, owner, sql`video.visibility = 'public'`);
