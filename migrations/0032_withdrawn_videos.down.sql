SET lock_timeout = '2s';

DROP INDEX videos_stills_to_close;
CREATE INDEX videos_stills_to_close ON videos (updated_at)
  WHERE open_prefix IS NOT NULL
    AND (deleted_at IS NOT NULL OR visibility NOT IN ('public', 'unlisted') OR password_hash IS NOT NULL OR age_restricted);
DROP INDEX videos_source;
