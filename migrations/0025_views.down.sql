SET lock_timeout = '2s';
SET statement_timeout = '30s';

DROP FUNCTION keep_monthly_partitions(integer);
DROP TABLE monthly_tables;
DROP TABLE video_view_minutes;
DROP TABLE video_view_parts;
DROP TABLE video_view_days;
DROP TABLE view_salts;
DROP TABLE view_flushes;
ALTER TABLE video_counters DROP COLUMN view_shards;
