SET lock_timeout = '2s';

ALTER TABLE encode_jobs DROP CONSTRAINT encode_jobs_source_released;
ALTER TABLE videos DROP CONSTRAINT videos_source_released;
DROP TRIGGER videos_refuse_unscanned ON videos;
DROP FUNCTION refuse_unscanned_video();
DROP TABLE upload_scans;
