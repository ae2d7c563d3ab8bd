import { type SQL, sql } from 'drizzle-orm';
import type { RequestContext } from '../../context.ts';
import { insertAuditIfAny } from '../../db/audit.ts';
import { atomic, type Db } from '../../db/client.ts';
import { insertEventIfAny, type OutboxEvent } from '../../db/outbox.ts';
import { userSummaryJson } from '../users/index.ts';
import { accessAssignments, accessJson } from './access.repository.ts';
import { detailColumns, detailValues } from './details.repository.ts';
import { extrasJson } from './encoding.repository.ts';
import { endWorkOf, hasMoved, replacementJson } from './replacements.repository.ts';
import { thumbnailKeyOf } from './summary.repository.ts';
import { ownersTurn } from './upload-reservations.repository.ts';
import type { UpdateVideoInput, VideoState } from './videos.schemas.ts';
import type { VideoRow } from './videos.views.ts';
import { videoListedFor, videoVisibleTo } from './visibility.repository.ts';

const utc = (column: SQL): SQL => sql`to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

// The whole video page, for a statement with `videos AS video` and `users AS owner`.
const videoColumns = (
  viewerId: string | undefined,
): SQL => sql`video.id, video.title, video.description, video.visibility, video.state,
  video.progress_percent AS "progressPercent", video.failure_code AS "failureCode",
  video.failure_message AS "failureMessage", video.duration_ms::float8 AS "durationMs", video.width, video.height,
  (SELECT coalesce(sum(views), 0) FROM video_counters WHERE video_id = video.id)::float8 AS "viewCount",
  video.hls_key AS "hlsKey", video.dash_key AS "dashKey", ${utc(sql`video.created_at`)} AS "createdAt",
  ${utc(sql`video.published_at`)} AS "publishedAt", ${utc(sql`video.publish_at`)} AS "publishAt",
  ${userSummaryJson('owner')} AS owner, ${replacementJson(viewerId)} AS replacement, ${accessJson} AS access,
  ${extrasJson} AS extras,
  ${thumbnailKeyOf('video')} AS "thumbnailKey", video.custom_thumbnail_key AS "customThumbnailKey",
  (SELECT job.phase FROM encode_jobs AS job
    WHERE job.video_id = video.id AND job.revision = video.revision AND job.kind = 'stream'
    ORDER BY job.attempt DESC LIMIT 1) AS phase,
  (SELECT coalesce(json_agg(json_build_object('name', rendition.name, 'width', rendition.width,
      'height', rendition.height, 'maxBitrate', rendition.max_bitrate) ORDER BY rendition.max_bitrate), '[]')
    FROM renditions AS rendition
    WHERE rendition.video_id = video.id AND rendition.revision = video.revision) AS renditions,
  (SELECT coalesce(json_agg(thumbnail.object_key ORDER BY thumbnail.position), '[]')
    FROM thumbnails AS thumbnail
    WHERE thumbnail.video_id = video.id AND thumbnail.revision = video.revision) AS "thumbnailKeys"`;

/** A video as this viewer may see it. Unlisted ones are found by their id, private ones by their owner. */
export async function findVideo(
  db: Db,
  videoId: string,
  viewerId: string | undefined,
): Promise<VideoRow | undefined> {
  const result = await db.execute(sql`
    SELECT ${videoColumns(viewerId)}, ${detailColumns(viewerId)}
    FROM videos AS video JOIN users AS owner ON owner.id = video.owner_id
    WHERE video.id = ${videoId}::uuid AND ${videoVisibleTo(viewerId)}`);
  return result.rows[0] as VideoRow | undefined;
}

/**
 * A page of an owner's videos, newest first: all of them for the owner, what they may see and is not unlisted for others.
 * @returns undefined when the owner is not active or blocks the viewer.
 */
export async function listVideos(
  db: Db,
  query: {
    readonly ownerId: string;
    readonly viewerId: string | undefined;
    readonly beforeId: string | undefined;
    readonly limit: number;
  },
): Promise<VideoRow[] | undefined> {
  const viewer = sql`${query.viewerId ?? null}::uuid`;
  const before = query.beforeId === undefined ? sql`` : sql`AND video.id < ${query.beforeId}::uuid`;
  const result = await db.execute(sql`
    SELECT page.*
    FROM users AS owner LEFT JOIN LATERAL (
      SELECT ${videoColumns(query.viewerId)}, ${detailColumns(query.viewerId)} FROM videos AS video
      WHERE video.owner_id = owner.id AND video.deleted_at IS NULL ${before} AND ${videoListedFor(query.viewerId)}
      ORDER BY video.id DESC LIMIT ${query.limit}
    ) AS page ON true
    WHERE owner.id = ${query.ownerId}::uuid AND owner.status = 'active'
      AND NOT EXISTS (SELECT FROM blocks WHERE blocker_id = owner.id AND blocked_id = ${viewer})
    ORDER BY page.id DESC`);
  const rows = result.rows as unknown as (VideoRow | { readonly id: null })[];
  return rows.length === 0 ? undefined : rows.filter((row): row is VideoRow => row.id !== null);
}

/** What an update needs beside the changes themselves. */
export interface UpdateNeeds {
  /** Duration in milliseconds the film must have for what is said about it. */
  readonly needsMs: number;
  /** Written when clearing the schedule shows a finished video. */
  readonly published: OutboxEvent;
  /** Null takes the password away; undefined leaves it. */
  readonly passwordHash: string | null | undefined;
  /** Written beside a change of who may see or play the video. */
  readonly accessChanged: OutboxEvent | undefined;
}

/**
 * Changes what is given.
 * @returns undefined when the owner has no such video, `too_short` when its film is known to be shorter than `needsMs`,
 * `already_out` when a schedule is given for what others can see.
 */
export async function updateVideo(
  db: Db,
  videoId: string,
  ownerId: string,
  changes: UpdateVideoInput,
  needs: UpdateNeeds,
): Promise<VideoRow | 'too_short' | 'already_out' | undefined> {
  const { publish_at: publishAt } = changes;
  const assignments = [sql`updated_at = now()`];
  if (changes.title !== undefined) assignments.push(sql`title = ${changes.title}`);
  if (changes.description !== undefined) assignments.push(sql`description = ${changes.description}`);
  if (changes.visibility !== undefined) assignments.push(sql`visibility = ${changes.visibility}`);
  if (publishAt !== undefined) assignments.push(...scheduleAssignments(publishAt));
  for (const { column, value } of detailValues(changes)) assignments.push(sql`${column} = ${value}`);
  assignments.push(...accessAssignments(changes, needs.passwordHash));
  const isFree =
    publishAt === undefined ? sql`true` : sql`coalesce(state <> 'published' OR publish_at > now(), false)`;
  const accessChanged =
    needs.accessChanged === undefined
      ? sql``
      : sql`, access_changed AS (${insertEventIfAny(needs.accessChanged, sql`video`)})`;
  const result = await db.execute(sql`
    WITH target AS (
      SELECT id AS target_id, coalesce(duration_ms >= ${needs.needsMs}::bigint, true) AS fits, ${isFree} AS is_free
      FROM videos
      WHERE id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL
      FOR UPDATE
    ), video AS (
      UPDATE videos SET ${sql.join(assignments, sql`, `)} FROM target
      WHERE videos.id = target.target_id AND target.fits AND target.is_free RETURNING videos.*
    ), event AS (${insertEventIfAny(
      needs.published,
      sql`(SELECT FROM video WHERE ${publishAt === null} AND video.state = 'published') AS shown`,
    )}) ${accessChanged}
    SELECT ${videoColumns(ownerId)}, ${detailColumns(ownerId)}, target.fits, target.is_free AS "isFree" FROM target
    LEFT JOIN video ON video.id = target.target_id LEFT JOIN users AS owner ON owner.id = video.owner_id`);
  const [row] = result.rows as unknown as (VideoRow & { readonly fits: boolean; readonly isFree: boolean })[];
  if (row === undefined) return undefined;
  const { fits, isFree: isAsked, ...video } = row;
  if (!isAsked) return 'already_out';
  return fits ? video : 'too_short';
}

const scheduleAssignments = (publishAt: string | null): SQL[] => [
  sql`publish_at = ${publishAt}::timestamptz`,
  sql`published_at = CASE WHEN state = 'published' THEN coalesce(${publishAt}::timestamptz, now()) END`,
  sql`announced_at = CASE WHEN state = 'published' AND ${publishAt}::timestamptz IS NULL THEN now() END`,
];

/**
 * Deletes a video for its owner, with what was to replace its file, and ends their uploads and jobs; `deleted` has everything
 * outside the database removed.
 */
export async function deleteVideo(
  ctx: RequestContext,
  videoId: string,
  ownerId: string,
  deleted: OutboxEvent,
): Promise<boolean> {
  const result = await ctx.databases.primary.execute(sql`
    WITH video AS (
      UPDATE videos SET deleted_at = now(), updated_at = now()
      WHERE id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL
      RETURNING id
    ), replacement AS (
      UPDATE videos SET deleted_at = now(), updated_at = now()
      FROM video WHERE videos.replaces_id = video.id AND videos.deleted_at IS NULL RETURNING videos.id
    ), gone AS (SELECT id FROM video UNION ALL SELECT id FROM replacement),
    ${endWorkOf(sql`gone`)},
    event AS (${insertEventIfAny(deleted, sql`video`)}),
    audit AS (${insertAuditIfAny(
      ctx,
      { action: 'video.delete', target: { kind: 'video', id: videoId } },
      sql`video`,
    )})
    SELECT 1 FROM video`);
  return result.rows.length > 0;
}

export interface OwnVideoState {
  readonly state: VideoState;
  readonly revision: number;
  readonly failureCode: string | null;
  /** Whether a job with the given id works for it. */
  readonly hasJob: boolean;
}

/** How an owner's video stands. */
export async function findOwnVideoState(
  db: Db,
  videoId: string,
  ownerId: string,
  jobId: string,
): Promise<OwnVideoState | undefined> {
  const result = await db.execute(sql`
    SELECT state, revision, failure_code AS "failureCode",
      EXISTS (SELECT FROM encode_jobs WHERE id = ${jobId}::uuid AND video_id = videos.id) AS "hasJob"
    FROM videos
    WHERE id = ${videoId}::uuid AND owner_id = ${ownerId}::uuid AND deleted_at IS NULL AND replaces_id IS NULL`);
  return result.rows[0] as OwnVideoState | undefined;
}

/**
 * Starts a new attempt at the same work: the failed video transcodes again, with a new job of the last job's plan. A failed
 * replacement gives way to one that is begun, so only one of both happens.
 * @returns false when the video is no longer failed with `failureCode`.
 */
export async function restartEncode(
  db: Db,
  retry: {
    readonly videoId: string;
    readonly ownerId: string;
    readonly failureCode: string;
    readonly jobId: string;
  },
): Promise<boolean> {
  const [, result] = await atomic(db, [
    ownersTurn(db, retry.ownerId),
    db.execute(sql`
    WITH previous AS (
      SELECT job.revision, job.attempt, job.plan, job.estimated_cost_micros, job.currency FROM encode_jobs AS job
      JOIN videos ON videos.id = job.video_id AND videos.revision = job.revision
      WHERE job.video_id = ${retry.videoId}::uuid AND job.kind = 'stream' ORDER BY job.attempt DESC LIMIT 1
    ), video AS (
      UPDATE videos SET state = 'transcoding', failure_code = NULL, failure_message = NULL, progress_percent = 0,
        updated_at = now()
      FROM previous
      WHERE videos.id = ${retry.videoId}::uuid AND videos.owner_id = ${retry.ownerId}::uuid
        AND videos.state = 'failed' AND videos.failure_code = ${retry.failureCode} AND videos.deleted_at IS NULL
      RETURNING videos.id
    ), job AS (
      -- Somebody waits for this one: it is due now.
      INSERT INTO encode_jobs (id, video_id, revision, attempt, state, plan, estimated_cost_micros, currency)
      SELECT ${retry.jobId}::uuid, video.id, previous.revision, previous.attempt + 1, 'queued', previous.plan,
        previous.estimated_cost_micros, previous.currency
      FROM video, previous
      ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT 1 FROM video`),
  ]);
  return result.rows.length > 0;
}

export interface VideoEnd {
  readonly deleted: boolean;
  readonly failureCode: string | null;
  readonly sourceKey: string | null;
}

/** How a video ended, if it has. One whose files moved to the video it replaced is not deleted: they are in use. */
export async function findVideoEnd(db: Db, videoId: string): Promise<VideoEnd | undefined> {
  const result = await db.execute(sql`
    SELECT deleted_at IS NOT NULL AND NOT ${hasMoved('videos')} AS deleted, failure_code AS "failureCode",
      source_key AS "sourceKey"
    FROM videos WHERE id = ${videoId}::uuid`);
  return result.rows[0] as VideoEnd | undefined;
}
