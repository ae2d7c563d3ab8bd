-- There are few streams yet to check.
-- squawk-ignore-file constraint-missing-not-valid
SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- What a stream is once it has begun. Adding the columns at once locks the table once, and there are few streams to check.
ALTER TABLE streams
  DROP CONSTRAINT streams_state_check,
  ADD COLUMN channel_arn text,
  ADD COLUMN started_at timestamptz,
  -- Set while it is live and its encoder is gone: it may come back within the reconnect window.
  ADD COLUMN away_since timestamptz,
  ADD COLUMN ended_at timestamptz,
  -- Somebody had it stopped: an encoder that comes back within the window is disconnected again.
  ADD COLUMN stop_asked_at timestamptz,
  -- Why its last broadcast broke off, if it did not end as it should.
  ADD COLUMN failure_code text,
  ADD COLUMN viewers integer NOT NULL DEFAULT 0,
  ADD COLUMN health text,
  ADD COLUMN health_at timestamptz,
  ADD COLUMN room_closed_at timestamptz,
  ADD CONSTRAINT streams_state_check CHECK (state IN ('scheduled', 'live', 'ended', 'failed', 'canceled')),
  ADD CONSTRAINT streams_begun_check
    CHECK ((state IN ('live', 'ended', 'failed')) = (started_at IS NOT NULL AND channel_arn IS NOT NULL)),
  ADD CONSTRAINT streams_ended_check CHECK ((state IN ('ended', 'failed')) = (ended_at IS NOT NULL)),
  ADD CONSTRAINT streams_away_check CHECK (away_since IS NULL OR state = 'live'),
  ADD CONSTRAINT streams_health_check CHECK (health IN ('healthy', 'starving')),
  ADD CONSTRAINT streams_viewers_check CHECK (viewers >= 0);

-- There are few streams yet, and none of them is live.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX streams_directory ON streams (viewers DESC, id DESC) WHERE state = 'live' AND visibility = 'public';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX streams_channel ON streams (channel_arn, started_at DESC) WHERE channel_arn IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX streams_away ON streams (away_since) WHERE away_since IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX streams_rooms_to_close ON streams (ended_at) WHERE ended_at IS NOT NULL AND room_closed_at IS NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX streams_live ON streams (channel_arn) WHERE state = 'live';

-- The broadcasts of which streams consist, as IVS counts them: an encoder that comes back begins another. What is known of one
-- only grows, so that events may be lost, late, repeated or out of order: the earliest word of its start and of its end counts.
CREATE TABLE stream_sessions (
  session_id text PRIMARY KEY CHECK (char_length(session_id) <= 128),
  channel_arn text NOT NULL,
  stream_id uuid REFERENCES streams (id) ON DELETE CASCADE,
  started_at timestamptz,
  ended_at timestamptz,
  failure_code text,
  noted_at timestamptz NOT NULL DEFAULT now(),
  CHECK (stream_id IS NULL OR started_at IS NOT NULL)
);
CREATE INDEX stream_sessions_channel ON stream_sessions (channel_arn, started_at DESC);
CREATE INDEX stream_sessions_stream ON stream_sessions (stream_id, started_at) WHERE stream_id IS NOT NULL;
-- Those whose end is known and whose start is not.
CREATE INDEX stream_sessions_unbegun ON stream_sessions (noted_at) WHERE started_at IS NULL;

-- Viewers of live streams by minute, as IVS counts them.
CREATE TABLE stream_samples (
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  minute timestamptz NOT NULL CHECK (date_trunc('minute', minute, 'UTC') = minute),
  viewers integer NOT NULL CHECK (viewers >= 0),
  PRIMARY KEY (stream_id, minute)
) PARTITION BY RANGE (minute);
CREATE TABLE stream_samples_default PARTITION OF stream_samples DEFAULT;
INSERT INTO monthly_tables (parent, keep_months) VALUES ('stream_samples', 13);

-- Notes what is known of a session of a channel and brings the stream it belongs to up to date; one channel at a time. A session
-- that begins continues the stream of the channel whose last session ended less than `reconnect` before, or else takes the
-- owner's stream announced nearest to it, from `late` before the session to `early` after it, or else makes one.
-- `became` is 'live' or 'ended' where the stream became that now; `unwanted` says that the encoder is to be disconnected.
CREATE FUNCTION note_stream_session(
  p_channel_arn text, p_session_id text, p_started_at timestamptz, p_ended_at timestamptz, p_failure_code text,
  p_now timestamptz, p_new_id uuid, p_reconnect interval, p_early interval, p_late interval
) RETURNS TABLE (stream_id uuid, owner_id uuid, became text, unwanted boolean)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
  channel_owner uuid;
  session stream_sessions;
  target streams;
  was text;
  first_start timestamptz;
  last_end timestamptz;
  is_open boolean;
  last_failure text;
  is_over boolean;
BEGIN
  SELECT channel.owner_id INTO channel_owner FROM live_channels AS channel WHERE channel.arn = p_channel_arn FOR UPDATE;

  INSERT INTO stream_sessions AS known (session_id, channel_arn, started_at, ended_at, failure_code)
  SELECT p_session_id, p_channel_arn, p_started_at, p_ended_at, p_failure_code
  -- A channel without an owner has nobody whose stream it could be; what began before is ended all the same.
  WHERE channel_owner IS NOT NULL OR EXISTS (SELECT FROM stream_sessions WHERE session_id = p_session_id)
  ON CONFLICT (session_id) DO UPDATE SET
    started_at = LEAST(known.started_at, excluded.started_at), ended_at = LEAST(known.ended_at, excluded.ended_at),
    failure_code = COALESCE(known.failure_code, excluded.failure_code)
  WHERE known.channel_arn = excluded.channel_arn
  RETURNING * INTO session;
  IF session.session_id IS NULL OR session.started_at IS NULL THEN RETURN; END IF;

  -- A channel has one session at a time.
  UPDATE stream_sessions AS earlier SET ended_at = LEAST(earlier.ended_at, session.started_at)
  WHERE earlier.channel_arn = p_channel_arn AND earlier.started_at < session.started_at
    AND (earlier.ended_at IS NULL OR earlier.ended_at > session.started_at);
  UPDATE stream_sessions AS known SET ended_at = LEAST(known.ended_at, later.started_at)
  FROM (SELECT min(started_at) AS started_at FROM stream_sessions
        WHERE channel_arn = p_channel_arn AND started_at > session.started_at) AS later
  WHERE known.session_id = session.session_id AND later.started_at IS NOT NULL
  RETURNING known.ended_at INTO last_end;
  session.ended_at := LEAST(session.ended_at, last_end);

  IF session.stream_id IS NULL THEN
    SELECT stream.* INTO target FROM streams AS stream
    WHERE stream.channel_arn = p_channel_arn AND stream.owner_id = channel_owner AND stream.room_closed_at IS NULL
      AND COALESCE(stream.ended_at, stream.away_since, 'infinity') >= session.started_at - p_reconnect
      AND stream.started_at <= COALESCE(session.ended_at, 'infinity') + p_reconnect
    ORDER BY abs(extract(epoch FROM stream.started_at - session.started_at)) LIMIT 1 FOR UPDATE;
    IF target.id IS NULL THEN
      SELECT stream.* INTO target FROM streams AS stream
      WHERE stream.owner_id = channel_owner AND stream.state = 'scheduled'
        AND (stream.scheduled_at IS NULL
          OR stream.scheduled_at BETWEEN session.started_at - p_late AND session.started_at + p_early)
      ORDER BY stream.scheduled_at IS NULL, abs(extract(epoch FROM stream.scheduled_at - session.started_at)), stream.id DESC
      LIMIT 1 FOR UPDATE;
    END IF;
    IF target.id IS NULL THEN
      INSERT INTO streams (id, owner_id, title) VALUES (p_new_id, channel_owner, 'Live stream') RETURNING * INTO target;
    END IF;
    UPDATE stream_sessions SET stream_id = target.id WHERE session_id = session.session_id;
  ELSE
    SELECT stream.* INTO target FROM streams AS stream WHERE stream.id = session.stream_id FOR UPDATE;
  END IF;

  SELECT min(started_at), bool_or(ended_at IS NULL), max(ended_at), (array_agg(failure_code ORDER BY started_at DESC))[1]
  INTO first_start, is_open, last_end, last_failure
  FROM stream_sessions WHERE stream_id = target.id;
  was := target.state;
  -- One that was stopped stays over, whoever comes back to it.
  is_over := (target.stop_asked_at IS NOT NULL AND was IN ('ended', 'failed'))
    OR (NOT is_open
      AND (was IN ('ended', 'failed') OR target.stop_asked_at IS NOT NULL OR last_end + p_reconnect <= p_now));
  UPDATE streams AS stream SET
    channel_arn = p_channel_arn, started_at = first_start,
    state = CASE WHEN NOT is_over THEN 'live' WHEN last_failure IS NULL THEN 'ended' ELSE 'failed' END,
    away_since = CASE WHEN NOT is_over AND NOT is_open THEN last_end END,
    ended_at = CASE WHEN is_over THEN last_end END,
    failure_code = last_failure, viewers = CASE WHEN is_open THEN stream.viewers ELSE 0 END,
    updated_at = CASE WHEN was = 'scheduled' OR (was = 'live') = is_over THEN p_now ELSE stream.updated_at END
  WHERE stream.id = target.id;

  RETURN QUERY SELECT target.id, target.owner_id,
    CASE WHEN was = 'scheduled' THEN 'live' WHEN was = 'live' AND is_over THEN 'ended' END,
    is_open AND target.stop_asked_at IS NOT NULL;
END $$;
