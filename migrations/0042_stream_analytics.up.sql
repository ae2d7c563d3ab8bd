SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- How the room of a stream was watched and written in, as its object last told: numbers of the whole stream, each flush in place of the one before.
CREATE TABLE stream_tallies (
  stream_id uuid PRIMARY KEY REFERENCES streams (id) ON DELETE CASCADE,
  seq bigint NOT NULL,
  viewers integer NOT NULL,
  peak_viewers integer NOT NULL,
  peak_at timestamptz,
  viewer_ms bigint NOT NULL,
  watched_ms bigint NOT NULL,
  messages bigint NOT NULL,
  chatters bigint NOT NULL,
  positive bigint NOT NULL,
  negative bigint NOT NULL,
  score double precision NOT NULL,
  emotes jsonb NOT NULL,
  flushed_at timestamptz NOT NULL DEFAULT now(),
  -- When the first flush after the end of the stream came; later ones correct the numbers and leave this.
  summarised_at timestamptz
);

CREATE TABLE stream_minutes (
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  minute timestamptz NOT NULL,
  peak_viewers integer NOT NULL,
  viewer_ms bigint NOT NULL,
  watched_ms bigint NOT NULL,
  messages bigint NOT NULL,
  chatters bigint NOT NULL,
  positive bigint NOT NULL,
  negative bigint NOT NULL,
  score double precision NOT NULL,
  PRIMARY KEY (stream_id, minute)
);

-- Who wrote most in the room of a stream.
CREATE TABLE stream_chatters (
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  messages bigint NOT NULL,
  -- By how much `messages` may be too high.
  over bigint NOT NULL,
  PRIMARY KEY (stream_id, user_id)
);

CREATE INDEX stream_chatters_user ON stream_chatters (user_id);

-- Who came to a stream by one relay of its room, and how long strangers stayed; `counter_id` is a stretch of the relay's life.
CREATE TABLE stream_audiences (
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  counter_id uuid NOT NULL,
  seq bigint NOT NULL,
  joins bigint NOT NULL,
  leaves bigint NOT NULL,
  strangers bigint NOT NULL,
  strangers_ms bigint NOT NULL,
  PRIMARY KEY (stream_id, counter_id)
);

CREATE FUNCTION milliseconds_in(spans tstzmultirange) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(sum(extract(epoch FROM upper(span) - lower(span)) * 1000), 0)::bigint FROM unnest(spans) AS span $$;

-- When a signed-in viewer was there. Stretches are united, so tabs that overlap count once, and a stretch may arrive twice.
CREATE TABLE stream_viewers (
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  watched tstzmultirange NOT NULL,
  watch_ms bigint NOT NULL GENERATED ALWAYS AS (milliseconds_in(watched)) STORED,
  PRIMARY KEY (stream_id, user_id)
);

CREATE INDEX stream_viewers_user ON stream_viewers (user_id);
