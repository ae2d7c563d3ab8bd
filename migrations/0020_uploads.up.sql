SET lock_timeout = '2s';
SET statement_timeout = '30s';

ALTER TABLE videos
  -- When `video.published` was told: at the end of the encode, or at `publish_at`.
  ADD COLUMN announced_at timestamptz,
  -- The still its owner chose. Null: the picture they gave, else the one we choose.
  ADD COLUMN thumbnail_position smallint,
  -- When a replacement took over and what was played before became nobody's.
  ADD COLUMN superseded_at timestamptz;

ALTER TABLE uploads
  -- The video whose file is to be replaced; `video_id` is then the row nobody sees.
  ADD COLUMN replaces_id uuid,
  -- The last quarter that `upload.progressed` told.
  ADD COLUMN told_percent smallint NOT NULL DEFAULT 0,
  -- When S3 was asked last which parts it holds.
  ADD COLUMN checked_at timestamptz;

ALTER TABLE videos
  ADD CONSTRAINT videos_thumbnail_position_known CHECK (thumbnail_position BETWEEN 0 AND 99) NOT VALID;
-- The size of a file that is imported is known once its server has told.
ALTER TABLE uploads DROP CONSTRAINT uploads_size_bytes_check;
ALTER TABLE uploads
  ADD CONSTRAINT uploads_size_bytes_check CHECK (size_bytes >= 0) NOT VALID,
  ADD CONSTRAINT uploads_told_percent_known CHECK (told_percent IN (0, 25, 50, 75, 100)) NOT VALID;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_due ON videos (publish_at)
  WHERE publish_at IS NOT NULL AND announced_at IS NULL AND state = 'published' AND deleted_at IS NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_replacements ON videos (replaces_id) WHERE replaces_id IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_superseded ON videos (superseded_at) WHERE superseded_at IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_failed_originals ON videos (updated_at)
  WHERE state = 'failed' AND source_key IS NOT NULL AND deleted_at IS NULL;

-- The parts of an unfinished upload: what its client says it sent, and what S3 says it holds.
CREATE TABLE upload_parts (
  upload_id uuid NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
  part_number integer NOT NULL CHECK (part_number BETWEEN 1 AND 10000),
  etag text NOT NULL CHECK (char_length(etag) <= 200),
  -- Whether S3 said so.
  confirmed boolean NOT NULL,
  PRIMARY KEY (upload_id, part_number)
);

-- Uploads whose file we fetch ourselves.
CREATE TABLE video_imports (
  upload_id uuid PRIMARY KEY REFERENCES uploads (id) ON DELETE CASCADE,
  -- May carry a key. Sealed for this row, and gone once the import has ended.
  sealed_url bytea,
  -- `If-Range` for going on where a run stopped: a strong ETag or a date. Null: begin anew.
  validator text CHECK (char_length(validator) <= 500),
  -- Null until the server has told.
  total_bytes bigint CHECK (total_bytes > 0),
  done_bytes bigint NOT NULL DEFAULT 0 CHECK (done_bytes >= 0),
  -- Failures since the last part that arrived.
  failures smallint NOT NULL DEFAULT 0,
  failure_code text,
  -- Who is fetching, and until when nobody else may.
  lease uuid,
  leased_until timestamptz,
  updated_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz
);

CREATE INDEX video_imports_waiting ON video_imports (updated_at) WHERE finished_at IS NULL;

-- How far the jobs got that look through the buckets for files of nobody.
CREATE TABLE video_sweeps (
  prefix text PRIMARY KEY,
  -- The last key that was looked at; empty: begin anew.
  position text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);
