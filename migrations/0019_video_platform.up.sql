SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- What creators say about a video, who may watch it, and where its files are.
ALTER TABLE videos
  -- Folder in the media bucket of what is played now, ending in a slash. Null: media/<id>/v<revision>/.
  ADD COLUMN media_prefix text,
  -- The published video whose file this one is to replace. Such a row is seen by nobody; when it is done, its files move to that video.
  ADD COLUMN replaces_id uuid,
  -- Published, but nobody's but the owner's before this moment.
  ADD COLUMN publish_at timestamptz,
  ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
  ADD COLUMN category text,
  -- BCP 47.
  ADD COLUMN language text,
  ADD COLUMN licence text NOT NULL DEFAULT 'standard',
  ADD COLUMN chapters jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN end_screens jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN comment_policy text NOT NULL DEFAULT 'open',
  ADD COLUMN age_restricted boolean NOT NULL DEFAULT false,
  ADD COLUMN password_hash text,
  ADD COLUMN geo_mode text,
  -- ISO 3166-1 alpha-2.
  ADD COLUMN geo_countries text[] NOT NULL DEFAULT '{}',
  ADD COLUMN embed_mode text NOT NULL DEFAULT 'anywhere',
  ADD COLUMN embed_domains text[] NOT NULL DEFAULT '{}',
  ADD COLUMN downloads_enabled boolean NOT NULL DEFAULT false,
  ADD COLUMN custom_thumbnail_key text,
  ADD COLUMN storyboard_key text,
  ADD COLUMN preview_key text,
  ADD COLUMN download_key text;

-- NOT VALID: the rows there are satisfy the narrower rules before, or have the defaults above.
ALTER TABLE videos DROP CONSTRAINT videos_visibility_check;
ALTER TABLE videos DROP CONSTRAINT videos_state_check;
ALTER TABLE videos
  ADD CONSTRAINT videos_visibility_check
    CHECK (visibility IN ('public', 'unlisted', 'private', 'followers', 'members')) NOT VALID,
  -- `scanning`: the file has arrived and nobody has looked at it yet.
  ADD CONSTRAINT videos_state_check
    CHECK (state IN ('uploading', 'scanning', 'probing', 'transcoding', 'published', 'failed')) NOT VALID,
  ADD CONSTRAINT videos_replaces_fkey FOREIGN KEY (replaces_id) REFERENCES videos (id) ON DELETE CASCADE NOT VALID,
  ADD CONSTRAINT videos_comment_policy_known CHECK (comment_policy IN ('open', 'approve', 'off')) NOT VALID,
  ADD CONSTRAINT videos_geo_mode_known CHECK (geo_mode IN ('allow', 'deny')) NOT VALID,
  ADD CONSTRAINT videos_embed_mode_known CHECK (embed_mode IN ('anywhere', 'nowhere', 'listed')) NOT VALID,
  ADD CONSTRAINT videos_tags_bounded CHECK (cardinality(tags) <= 30) NOT VALID;

-- One replacement at a time.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX videos_replacement_key ON videos (replaces_id) WHERE replaces_id IS NOT NULL AND deleted_at IS NULL AND state <> 'failed';

-- Projections of rows elsewhere, which are the truth.
CREATE TABLE video_counters (
  video_id uuid PRIMARY KEY REFERENCES videos (id) ON DELETE CASCADE,
  views bigint NOT NULL DEFAULT 0 CHECK (views >= 0),
  likes integer NOT NULL DEFAULT 0 CHECK (likes >= 0),
  dislikes integer NOT NULL DEFAULT 0 CHECK (dislikes >= 0),
  comments integer NOT NULL DEFAULT 0 CHECK (comments >= 0)
);
