SET lock_timeout = '2s';

DROP TABLE watermarks;
DROP TABLE captions;

ALTER TABLE videos
  DROP COLUMN burn_in_captions,
  DROP COLUMN clipped_from,
  DROP COLUMN clip_start_ms,
  DROP COLUMN clip_end_ms,
  DROP COLUMN captions_wanted,
  DROP COLUMN captions_built;

-- The older release knows one kind of job, and no queue of its own: what waits is submitted by its cron.
DELETE FROM encode_jobs WHERE kind <> 'stream';
UPDATE encode_jobs SET state = 'submitting' WHERE state = 'queued';

DROP INDEX encode_jobs_queued;
DROP INDEX encode_jobs_running_key;
DROP INDEX encode_jobs_attempt_key;
ALTER TABLE encode_jobs ADD CONSTRAINT encode_jobs_video_id_revision_attempt_key UNIQUE (video_id, revision, attempt);
CREATE UNIQUE INDEX encode_jobs_running_key ON encode_jobs (video_id, revision)
  WHERE state IN ('submitting', 'submitted', 'progressing');

ALTER TABLE encode_jobs DROP CONSTRAINT encode_jobs_state_check;
ALTER TABLE encode_jobs
  ADD CONSTRAINT encode_jobs_state_check
    CHECK (state IN ('submitting', 'submitted', 'progressing', 'complete', 'error', 'canceled')) NOT VALID;
ALTER TABLE encode_jobs VALIDATE CONSTRAINT encode_jobs_state_check;

ALTER TABLE encode_jobs
  DROP COLUMN kind,
  DROP COLUMN due_at,
  DROP COLUMN started_at,
  DROP COLUMN estimated_cost_micros,
  DROP COLUMN actual_cost_micros,
  DROP COLUMN currency,
  DROP COLUMN acceleration_status;
