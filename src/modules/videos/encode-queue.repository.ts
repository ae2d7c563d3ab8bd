import { type SQL, sql } from 'drizzle-orm';
import { atomic, type Db } from '../../db/client.ts';
import { textArray } from '../../db/outbox.ts';
import type { NewEncodeJob } from './policy/encode-queue.ts';

/** Owners with the role `creator` wait half as long behind others. */
const creatorShare = 0.5;

/**
 * The body of a CTE that puts a job into our queue for the row of `source` (the name of an earlier CTE with the columns
 * `video_id`, `owner_id`, `revision` and `attempt`). Yields the id of the job, or nothing when one of its kind is unfinished.
 */
export const queueJob = (job: NewEncodeJob, source: SQL): SQL => sql`
  INSERT INTO encode_jobs (id, video_id, revision, attempt, kind, state, plan, due_at, estimated_cost_micros, currency)
  SELECT ${job.id}::uuid, source.video_id, source.revision, source.attempt, ${job.plan.kind}, 'queued',
    ${JSON.stringify(job.plan)}::jsonb,
    now() + make_interval(secs => ${job.handicapSeconds}::float8
      * CASE WHEN 'creator' = ANY (owner.roles) THEN ${creatorShare}::float8 ELSE 1 END),
    ${job.estimatedCostMicros.toString()}::bigint, ${job.currency}
  FROM ${source} AS source JOIN users AS owner ON owner.id = source.owner_id
  ON CONFLICT DO NOTHING RETURNING id`;

/** States in which MediaConvert, or our word to it, is at work on a job. */
export const runningStates: SQL = sql`('submitting', 'submitted', 'progressing')`;

export interface QueueLimits {
  readonly encodesPerOwner: number;
  readonly encodesAtOnce: number;
}

/**
 * Takes jobs out of the queue, those first that are due first, as far as there is room in all and for their owners, and asks
 * for each to be submitted. Takers queue behind an advisory lock in the same transaction, so that the limits hold however
 * many take at once.
 * @param eventIds one for each job that may be taken.
 * @returns the ids of the events that were written.
 */
export async function takeQueuedJobs(
  db: Db,
  limits: QueueLimits,
  events: { readonly ids: readonly string[]; readonly traceparent: string },
): Promise<string[]> {
  const [, result] = await atomic(db, [
    db.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended('encode-queue', 0))`),
    db.execute(sql`
      WITH running AS (
        SELECT video.owner_id, count(*)::int AS held
        FROM encode_jobs AS job JOIN videos AS video ON video.id = job.video_id
        WHERE job.state IN ${runningStates} GROUP BY video.owner_id
      ), waiting AS (
        SELECT job.id, job.due_at, coalesce(running.held, 0)
          + row_number() OVER (PARTITION BY video.owner_id ORDER BY job.due_at, job.id) AS place
        FROM encode_jobs AS job JOIN videos AS video ON video.id = job.video_id
        LEFT JOIN running ON running.owner_id = video.owner_id
        WHERE job.state = 'queued' AND video.deleted_at IS NULL
      ), chosen AS (
        SELECT id, row_number() OVER (ORDER BY due_at, id) AS position
        FROM waiting WHERE place <= ${limits.encodesPerOwner}
        ORDER BY due_at, id
        LIMIT greatest(0, least(${events.ids.length}::int,
          ${limits.encodesAtOnce}::int - (SELECT coalesce(sum(held), 0) FROM running)::int))
      ), job AS (
        UPDATE encode_jobs SET state = 'submitting', started_at = now(), last_checked_at = now()
        FROM chosen WHERE encode_jobs.id = chosen.id AND encode_jobs.state = 'queued'
        RETURNING encode_jobs.id, encode_jobs.video_id, encode_jobs.revision, chosen.position
      )
      INSERT INTO outbox (id, type, payload, traceparent)
      SELECT event.id, 'video.encode_requested',
        jsonb_build_object('video_id', job.video_id, 'revision', job.revision, 'job_id', job.id), ${events.traceparent}
      FROM job JOIN unnest(${textArray(events.ids)}::uuid[]) WITH ORDINALITY AS event(id, position)
        ON event.position = job.position
      RETURNING id`),
  ]);
  return result.rows.map((row) => String(row.id));
}
