SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Where each user stopped watching each video. One row for both; a row taken out of the history stays, emptied, for as long
-- as news from before that may still arrive.
CREATE TABLE watch_history (
  user_id uuid NOT NULL,
  video_id uuid NOT NULL,
  slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 479),
  position_ms bigint NOT NULL CHECK (position_ms >= 0),
  duration_ms bigint CHECK (duration_ms >= 0),
  completed boolean NOT NULL DEFAULT false,
  watched_at timestamptz NOT NULL,
  removed_at timestamptz,
  PRIMARY KEY (user_id, video_id)
);

CREATE INDEX watch_history_newest ON watch_history (user_id, watched_at DESC, video_id) WHERE removed_at IS NULL;
CREATE INDEX watch_history_age ON watch_history (watched_at);
CREATE INDEX watch_history_removed ON watch_history (removed_at) WHERE removed_at IS NOT NULL;
CREATE INDEX watch_history_slot ON watch_history (slot, user_id);

CREATE TABLE watch_history_settings (
  user_id uuid PRIMARY KEY,
  slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 479),
  paused boolean NOT NULL DEFAULT false,
  -- Nothing watched before this moment enters the history any more: it was cleared, or paused until then.
  not_before timestamptz
);
