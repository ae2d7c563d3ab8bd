SET lock_timeout = '2s';
SET statement_timeout = '30s';

CREATE TABLE playlists (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- `watch_later` is built in: each account has at most one, private for ever.
  kind text NOT NULL DEFAULT 'custom' CHECK (kind IN ('custom', 'watch_later')),
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 150),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 5000),
  visibility text NOT NULL DEFAULT 'private' CHECK (visibility IN ('public', 'unlisted', 'private')),
  allow_duplicates boolean NOT NULL DEFAULT false,
  -- How often its items were numbered anew.
  numbering integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT playlists_watch_later_private
    CHECK (kind <> 'watch_later' OR (visibility = 'private' AND NOT allow_duplicates))
);

CREATE INDEX playlists_owner ON playlists (owner_id, id DESC);
CREATE UNIQUE INDEX playlists_watch_later_key ON playlists (owner_id) WHERE kind = 'watch_later';

CREATE TABLE playlist_items (
  id uuid PRIMARY KEY,
  playlist_id uuid NOT NULL REFERENCES playlists (id) ON DELETE CASCADE,
  -- Of the list.
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  -- Orders the list. Between two neighbours there is room for more; where it runs out, the list is numbered anew.
  rank bigint NOT NULL,
  added_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX playlist_items_order ON playlist_items (playlist_id, rank, id);
CREATE INDEX playlist_items_owner ON playlist_items (owner_id, id);
CREATE INDEX playlist_items_video ON playlist_items (video_id, playlist_id);
