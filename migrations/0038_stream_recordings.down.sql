SET lock_timeout = '2s';

DROP TABLE stream_clips;
DROP TABLE stream_markers;
DROP TABLE stream_recordings;
ALTER TABLE streams DROP COLUMN video_id, DROP COLUMN clips_enabled;
