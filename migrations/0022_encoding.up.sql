SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Jobs wait in our own queue first, and say what they cost.
ALTER TABLE encode_jobs
  -- `stream`: what is played. `preview`, `download`: single files, made once that is published.
  ADD COLUMN kind text NOT NULL DEFAULT 'stream',
  -- Waiting jobs go in this order; what is long or less urgent is due later than it came.
  ADD COLUMN due_at timestamptz NOT NULL DEFAULT now(),
  -- When it left our queue.
  ADD COLUMN started_at timestamptz,
  -- Millionths of the currency.
  ADD COLUMN estimated_cost_micros bigint,
  ADD COLUMN actual_cost_micros bigint,
  ADD COLUMN currency text,
  ADD COLUMN acceleration_status text;

ALTER TABLE encode_jobs DROP CONSTRAINT encode_jobs_state_check;
ALTER TABLE encode_jobs
  ADD CONSTRAINT encode_jobs_state_check
    CHECK (state IN ('queued', 'submitting', 'submitted', 'progressing', 'complete', 'error', 'canceled')) NOT VALID,
  ADD CONSTRAINT encode_jobs_kind_known CHECK (kind IN ('stream', 'preview', 'download')) NOT VALID,
  ADD CONSTRAINT encode_jobs_costs_whole
    CHECK (estimated_cost_micros >= 0 AND actual_cost_micros >= 0 AND (currency IS NOT NULL OR estimated_cost_micros IS NULL)) NOT VALID;

ALTER TABLE encode_jobs DROP CONSTRAINT encode_jobs_video_id_revision_attempt_key;
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX encode_jobs_attempt_key ON encode_jobs (video_id, revision, kind, attempt);

-- squawk-ignore require-concurrent-index-deletion
DROP INDEX encode_jobs_running_key;
-- One unfinished job of a kind for a revision: a message delivered twice cannot start a second transcode.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX encode_jobs_running_key ON encode_jobs (video_id, revision, kind)
  WHERE state IN ('queued', 'submitting', 'submitted', 'progressing');
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX encode_jobs_queued ON encode_jobs (due_at, id) WHERE state = 'queued';

ALTER TABLE videos
  -- BCP 47: these captions are drawn into the picture.
  ADD COLUMN burn_in_captions text,
  ADD COLUMN clipped_from uuid,
  ADD COLUMN clip_start_ms bigint,
  ADD COLUMN clip_end_ms bigint,
  -- Counts changes of the caption tracks, and up to which of them the manifests know.
  ADD COLUMN captions_wanted integer NOT NULL DEFAULT 0,
  ADD COLUMN captions_built integer NOT NULL DEFAULT 0;
ALTER TABLE videos
  ADD CONSTRAINT videos_clipped_from_fkey FOREIGN KEY (clipped_from) REFERENCES videos (id) ON DELETE SET NULL NOT VALID,
  ADD CONSTRAINT videos_clip_whole CHECK (clip_start_ms IS NULL OR (clip_start_ms >= 0 AND clip_end_ms > clip_start_ms)) NOT VALID;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_clipped_from ON videos (clipped_from) WHERE clipped_from IS NOT NULL;

CREATE TABLE captions (
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  -- BCP 47, in its canonical form.
  language text NOT NULL CHECK (char_length(language) BETWEEN 2 AND 35),
  label text NOT NULL CHECK (char_length(label) BETWEEN 1 AND 60),
  kind text NOT NULL CHECK (kind IN ('subtitles', 'captions')),
  -- The WebVTT in the media bucket, named after its content.
  object_key text NOT NULL,
  cue_count integer NOT NULL CHECK (cue_count >= 0),
  size_bytes integer NOT NULL CHECK (size_bytes > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (video_id, language)
);

-- The picture an owner has put on everything they encode from then on.
CREATE TABLE watermarks (
  owner_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  object_key text NOT NULL,
  width integer NOT NULL CHECK (width > 0),
  height integer NOT NULL CHECK (height > 0),
  corner text NOT NULL CHECK (corner IN ('top_left', 'top_right', 'bottom_left', 'bottom_right')),
  opacity_percent smallint NOT NULL CHECK (opacity_percent BETWEEN 1 AND 100),
  width_percent smallint NOT NULL CHECK (width_percent BETWEEN 1 AND 50),
  updated_at timestamptz NOT NULL DEFAULT now()
);
