SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- What was made of a file: it may be found harmful later.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_source ON videos (source_key) WHERE source_key IS NOT NULL;

-- Published videos fail when that happens, and the open copies of their stills go, too.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX videos_stills_to_close;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_stills_to_close ON videos (updated_at)
  WHERE open_prefix IS NOT NULL
    AND (deleted_at IS NOT NULL OR visibility NOT IN ('public', 'unlisted') OR password_hash IS NOT NULL OR age_restricted
      OR state = 'failed');
