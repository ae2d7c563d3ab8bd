SET lock_timeout = '2s';

DROP TABLE video_sweeps;
DROP TABLE video_imports;
DROP TABLE upload_parts;
DROP INDEX videos_due;
DROP INDEX videos_replacements;
DROP INDEX videos_superseded;
DROP INDEX videos_failed_originals;

UPDATE uploads SET size_bytes = 1 WHERE size_bytes = 0;
ALTER TABLE uploads DROP CONSTRAINT uploads_size_bytes_check;
ALTER TABLE uploads ADD CONSTRAINT uploads_size_bytes_check CHECK (size_bytes > 0) NOT VALID;
ALTER TABLE uploads VALIDATE CONSTRAINT uploads_size_bytes_check;

ALTER TABLE uploads
  DROP COLUMN replaces_id,
  DROP COLUMN told_percent,
  DROP COLUMN checked_at;

ALTER TABLE videos
  DROP COLUMN announced_at,
  DROP COLUMN thumbnail_position,
  DROP COLUMN superseded_at;
