SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- What the virus scan of an uploaded file has come to. A file lies in quarantine until it is released.
CREATE TABLE upload_scans (
  upload_id uuid PRIMARY KEY REFERENCES uploads (id) ON DELETE CASCADE,
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  -- Null: nothing heard. `failed`: the scanner could not look, it is asked again. `waived`: scanning was turned off.
  verdict text CHECK (verdict IN ('clean', 'infected', 'unsupported', 'failed', 'waived')),
  -- Of the content the verdict speaks of; only that content is released.
  etag text,
  threats text[] NOT NULL DEFAULT '{}' CHECK (cardinality(threats) <= 20),
  reasons text[] NOT NULL DEFAULT '{}' CHECK (cardinality(reasons) <= 20),
  -- How often the file was scanned or asked to be, and when last.
  requests integer NOT NULL DEFAULT 1,
  requested_at timestamptz NOT NULL DEFAULT now(),
  last_checked_at timestamptz NOT NULL DEFAULT now(),
  -- S3's id of the unfinished copy of a large file.
  copy_upload_id text,
  -- Released or refused.
  settled_at timestamptz,
  -- Nothing is left to be removed from quarantine.
  cleared_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX upload_scans_video ON upload_scans (video_id);
CREATE INDEX upload_scans_unsettled ON upload_scans (last_checked_at) WHERE cleared_at IS NULL;

-- Nothing reads a file for a video, or plays it, before it was found clean: whatever a statement says.
CREATE FUNCTION refuse_unscanned_video() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (OLD.state <> 'failed' AND NOT EXISTS (
        SELECT FROM upload_scans WHERE video_id = NEW.id AND verdict IN ('clean', 'waived')))
    OR EXISTS (
        SELECT FROM upload_scans
        WHERE video_id = NEW.id AND (verdict IS NULL OR verdict NOT IN ('clean', 'waived')))
  THEN
    RAISE EXCEPTION 'the file of video % has not been found clean', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'videos_scanned';
  END IF;
  RETURN NEW;
END;
$$;
CREATE TRIGGER videos_refuse_unscanned BEFORE UPDATE OF state ON videos
  FOR EACH ROW WHEN (OLD.state IN ('uploading', 'scanning', 'failed') AND NEW.state IN ('probing', 'transcoding', 'published'))
  EXECUTE FUNCTION refuse_unscanned_video();

-- NOT VALID: no row there is has a file in quarantine.
ALTER TABLE videos
  ADD CONSTRAINT videos_source_released CHECK (source_key NOT LIKE 'quarantine/%') NOT VALID;
ALTER TABLE encode_jobs
  ADD CONSTRAINT encode_jobs_source_released CHECK (plan ->> 'sourceKey' NOT LIKE 'quarantine/%') NOT VALID;
