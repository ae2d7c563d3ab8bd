import { type SQL, sql } from 'drizzle-orm';
import type { Db } from '../../db/client.ts';
import { type AccessRow, accessJson } from './access.repository.ts';
import { type PlayedCaptions, playedCaptionsOf } from './captions.repository.ts';
import type { Standing, VideoAccess } from './policy/playback-policy.ts';
import { standingColumns } from './visibility.repository.ts';

/** Everything that decides whether a viewer may play a video. */
export interface DecisionFacts {
  readonly video: VideoAccess & AccessRow;
  readonly standing: Standing;
  readonly ownerId: string;
  readonly passwordHash: string | null;
  /** Hexadecimal of the viewer's sealed date of birth. */
  readonly sealedBirthDate: string | null;
}

/** What they get when they may. */
export interface PlaybackFacts extends DecisionFacts {
  readonly hlsKey: string | null;
  readonly dashKey: string | null;
  readonly storyboardKey: string | null;
  readonly previewKey: string | null;
  readonly downloadKey: string | null;
  readonly downloadsEnabled: boolean;
  readonly thumbnailKeys: readonly string[];
  readonly captions: readonly PlayedCaptions[];
}

/** The columns of `toDecisionFacts`, for a statement with `videos AS video` and `users` of the owner as `owner`. */
export const decisionColumns = (viewerId: string | undefined): SQL => sql`
      ${accessJson} AS access, video.state, video.visibility, video.deleted_at IS NOT NULL AS deleted,
      video.replaces_id IS NOT NULL AS replacement, owner.status = 'active' AS "ownerActive",
      extract(epoch FROM video.publish_at)::float8 * 1000 AS "publishAtMs", video.owner_id AS "ownerId",
      video.password_hash AS "passwordHash",
      (SELECT encode(sealed_date, 'hex') FROM birth_dates WHERE user_id = ${viewerId ?? null}::uuid) AS "sealedBirthDate",
      ${standingColumns(viewerId)}`;

export interface DecisionRow extends VideoAccess, Omit<DecisionFacts, 'video' | 'standing'> {
  readonly access: AccessRow;
  readonly isOwner: boolean;
  readonly isBlocked: boolean;
  readonly isFollower: boolean;
  readonly isMember: boolean;
}

/** The facts of a row of `decisionColumns`, with whatever else it has. */
export function toDecisionFacts<Row extends DecisionRow>(row: Row, viewerId: string | undefined) {
  const { access, state, visibility, deleted, replacement, ownerActive, publishAtMs, ...rest } = row;
  const { isOwner, isBlocked, isFollower, isMember, ...others } = rest;
  return {
    ...others,
    video: { ...access, state, visibility, deleted, replacement, ownerActive, publishAtMs },
    standing: {
      owner: viewerId !== undefined && isOwner,
      blocked: isBlocked,
      follows: isFollower,
      member: isMember,
    },
  };
}

/** The facts about any video, whoever may see it; undefined when there never was such a one. */
export async function findPlaybackFacts(
  db: Db,
  videoId: string,
  viewerId: string | undefined,
): Promise<PlaybackFacts | undefined> {
  const result = await db.execute(sql`
    SELECT ${decisionColumns(viewerId)}, video.hls_key AS "hlsKey", video.dash_key AS "dashKey",
      video.storyboard_key AS "storyboardKey", video.preview_key AS "previewKey",
      video.download_key AS "downloadKey", video.downloads_enabled AS "downloadsEnabled",
      (SELECT coalesce(json_agg(thumbnail.object_key ORDER BY thumbnail.position), '[]')
        FROM thumbnails AS thumbnail
        WHERE thumbnail.video_id = video.id AND thumbnail.revision = video.revision) AS "thumbnailKeys",
      ${playedCaptionsOf} AS captions
    FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
    WHERE video.id = ${videoId}::uuid`);
  const [row] = result.rows as unknown as (DecisionRow & Omit<PlaybackFacts, keyof DecisionFacts>)[];
  return row === undefined ? undefined : toDecisionFacts(row, viewerId);
}
