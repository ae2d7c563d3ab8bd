SET lock_timeout = '2s';

DROP FUNCTION note_stream_session(
  text, text, timestamptz, timestamptz, text, timestamptz, uuid, interval, interval, interval);
DROP TABLE stream_samples;
DELETE FROM monthly_tables WHERE parent = 'stream_samples';
DROP TABLE stream_sessions;
DELETE FROM streams WHERE state NOT IN ('scheduled', 'canceled');
ALTER TABLE streams
  DROP CONSTRAINT streams_state_check, DROP CONSTRAINT streams_begun_check, DROP CONSTRAINT streams_ended_check,
  DROP CONSTRAINT streams_away_check, DROP CONSTRAINT streams_health_check, DROP CONSTRAINT streams_viewers_check,
  DROP COLUMN channel_arn, DROP COLUMN started_at, DROP COLUMN away_since, DROP COLUMN ended_at, DROP COLUMN stop_asked_at,
  DROP COLUMN failure_code, DROP COLUMN viewers, DROP COLUMN health, DROP COLUMN health_at, DROP COLUMN room_closed_at,
  ADD CONSTRAINT streams_state_check CHECK (state IN ('scheduled', 'canceled'));
