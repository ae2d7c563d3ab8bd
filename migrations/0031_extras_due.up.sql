SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Since when what a published video has beside what is played (scrub index, preview, download) may be missing. Null: all of it is
-- there or has its job. The default has videos of before looked at once.
ALTER TABLE videos ADD COLUMN extras_due_at timestamptz DEFAULT now();

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_extras_due ON videos (extras_due_at)
  WHERE extras_due_at IS NOT NULL AND state = 'published' AND deleted_at IS NULL AND replaces_id IS NULL;
