SET lock_timeout = '2s';
SET statement_timeout = '30s';

CREATE TABLE videos (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 5000),
  visibility text NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'unlisted', 'private')),
  state text NOT NULL CHECK (state IN ('uploading', 'probing', 'transcoding', 'published', 'failed')),
  failure_code text,
  failure_message text,
  progress_percent smallint NOT NULL DEFAULT 0 CHECK (progress_percent BETWEEN 0 AND 100),
  revision integer NOT NULL DEFAULT 1 CHECK (revision > 0),
  source_key text,
  source_bytes bigint CHECK (source_bytes > 0),
  container text,
  duration_ms bigint CHECK (duration_ms > 0),
  width integer CHECK (width > 0),
  height integer CHECK (height > 0),
  frame_rate double precision CHECK (frame_rate > 0),
  video_codec text,
  audio_codec text,
  hls_key text,
  dash_key text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  published_at timestamptz,
  deleted_at timestamptz,
  CONSTRAINT videos_failure_has_reason CHECK ((state = 'failed') = (failure_code IS NOT NULL)),
  CONSTRAINT videos_published_is_playable
    CHECK (state <> 'published' OR (hls_key IS NOT NULL AND dash_key IS NOT NULL AND published_at IS NOT NULL))
);

CREATE INDEX videos_owner ON videos (owner_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX videos_unfinished ON videos (updated_at) WHERE state IN ('probing', 'transcoding');

CREATE TABLE uploads (
  id uuid PRIMARY KEY,
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('open', 'completing', 'completed', 'aborted', 'expired')),
  file_name text NOT NULL CHECK (char_length(file_name) BETWEEN 1 AND 255),
  content_type text NOT NULL CHECK (char_length(content_type) <= 100),
  size_bytes bigint NOT NULL CHECK (size_bytes > 0),
  part_size_bytes bigint NOT NULL CHECK (part_size_bytes >= 5242880),
  part_count integer NOT NULL CHECK (part_count BETWEEN 1 AND 10000),
  object_key text NOT NULL,
  s3_upload_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  finished_at timestamptz
);

CREATE INDEX uploads_owner_recent ON uploads (owner_id, created_at DESC);
CREATE INDEX uploads_video ON uploads (video_id);
CREATE INDEX uploads_open_expiry ON uploads (expires_at) WHERE state IN ('open', 'completing');

CREATE TABLE encode_jobs (
  id uuid PRIMARY KEY,
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  revision integer NOT NULL CHECK (revision > 0),
  attempt integer NOT NULL CHECK (attempt > 0),
  provider_job_id text,
  state text NOT NULL CHECK (state IN ('submitting', 'submitted', 'progressing', 'complete', 'error', 'canceled')),
  phase text,
  percent smallint NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
  plan jsonb NOT NULL,
  error_code text,
  error_message text,
  last_event_at timestamptz,
  last_checked_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  UNIQUE (video_id, revision, attempt)
);

CREATE UNIQUE INDEX encode_jobs_provider_key ON encode_jobs (provider_job_id) WHERE provider_job_id IS NOT NULL;
-- One running job for a revision: a message delivered twice cannot start a second transcode.
CREATE UNIQUE INDEX encode_jobs_running_key ON encode_jobs (video_id, revision)
  WHERE state IN ('submitting', 'submitted', 'progressing');
CREATE INDEX encode_jobs_stale ON encode_jobs (last_checked_at) WHERE state IN ('submitting', 'submitted', 'progressing');

CREATE TABLE renditions (
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  revision integer NOT NULL CHECK (revision > 0),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 20),
  width integer NOT NULL CHECK (width > 0),
  height integer NOT NULL CHECK (height > 0),
  max_bitrate integer NOT NULL CHECK (max_bitrate > 0),
  duration_ms bigint CHECK (duration_ms > 0),
  PRIMARY KEY (video_id, revision, name)
);

CREATE TABLE thumbnails (
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  revision integer NOT NULL CHECK (revision > 0),
  position smallint NOT NULL CHECK (position >= 0),
  object_key text NOT NULL,
  PRIMARY KEY (video_id, revision, position)
);
