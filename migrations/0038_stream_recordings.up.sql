-- No stream has a video yet.
-- squawk-ignore-file constraint-missing-not-valid, adding-foreign-key-constraint
SET lock_timeout = '2s';
SET statement_timeout = '30s';

ALTER TABLE streams
  -- The video its recording became.
  ADD COLUMN video_id uuid,
  ADD COLUMN clips_enabled boolean NOT NULL DEFAULT true,
  ADD CONSTRAINT streams_video_fkey FOREIGN KEY (video_id) REFERENCES videos (id) ON DELETE SET NULL;
-- No stream has a video yet.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX streams_video ON streams (video_id) WHERE video_id IS NOT NULL;

-- Recordings of streams in the bucket IVS writes them to. One stream has more than one where an encoder was away for longer
-- than the recording waits.
CREATE TABLE stream_recordings (
  prefix text PRIMARY KEY CHECK (char_length(prefix) <= 512),
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  began_at timestamptz NOT NULL,
  ended_at timestamptz,
  duration_ms bigint CHECK (duration_ms >= 0),
  failed boolean NOT NULL DEFAULT false,
  video_id uuid REFERENCES videos (id) ON DELETE SET NULL,
  checked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stream_recordings_stream ON stream_recordings (stream_id, began_at);
CREATE INDEX stream_recordings_video ON stream_recordings (video_id) WHERE video_id IS NOT NULL;
CREATE INDEX stream_recordings_open ON stream_recordings (checked_at) WHERE ended_at IS NULL;

-- Moments of a stream that somebody gave a name; they become the chapters of its video.
CREATE TABLE stream_markers (
  id uuid PRIMARY KEY,
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  author_id uuid REFERENCES users (id) ON DELETE SET NULL,
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 100),
  at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stream_markers_stream ON stream_markers (stream_id, at, id);
CREATE INDEX stream_markers_author ON stream_markers (author_id) WHERE author_id IS NOT NULL;

-- Videos cut out of a stream while it went on.
CREATE TABLE stream_clips (
  video_id uuid PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE,
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  creator_id uuid REFERENCES users (id) ON DELETE SET NULL,
  from_at timestamptz NOT NULL,
  to_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (to_at > from_at)
);
CREATE INDEX stream_clips_stream ON stream_clips (stream_id, video_id DESC);
CREATE INDEX stream_clips_creator ON stream_clips (creator_id) WHERE creator_id IS NOT NULL;
