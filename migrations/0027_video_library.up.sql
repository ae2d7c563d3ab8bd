SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- The forms under which the tags of a video are searched for.
ALTER TABLE videos ADD COLUMN tag_keys text[] NOT NULL DEFAULT '{}';

CREATE TABLE video_ratings (
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  rating text NOT NULL CHECK (rating IN ('like', 'dislike')),
  -- Of this rating: another one is another thing to count.
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (video_id, user_id)
);

CREATE INDEX video_ratings_user ON video_ratings (user_id, created_at DESC, video_id);

-- Comments on videos. `root_id` is the comment at the top of the thread, `parent_id` the one that is answered.
CREATE TABLE comments (
  id uuid PRIMARY KEY,
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  -- Of the video, so that the queue of held comments is read without it.
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Null once the account was erased.
  author_id uuid REFERENCES users (id) ON DELETE SET NULL,
  parent_id uuid REFERENCES comments (id) ON DELETE CASCADE,
  root_id uuid REFERENCES comments (id) ON DELETE CASCADE,
  depth smallint NOT NULL DEFAULT 0 CHECK (depth BETWEEN 0 AND 5),
  text text NOT NULL CHECK (char_length(text) <= 2000),
  facets jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(facets) = 'array'),
  state text NOT NULL CHECK (state IN ('visible', 'held', 'rejected', 'deleted')),
  held_for text CHECK (held_for IN ('approval', 'blocked_word', 'link')),
  -- Since when others see it: each such time is counted as a thing of its own.
  shown_at timestamptz,
  likes integer NOT NULL DEFAULT 0 CHECK (likes >= 0),
  replies integer NOT NULL DEFAULT 0 CHECK (replies >= 0),
  pinned_at timestamptz,
  hearted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  edited_at timestamptz,
  deleted_at timestamptz,
  -- Who deleted it.
  deletion text CHECK (deletion IN ('author', 'owner')),
  CONSTRAINT comments_threaded CHECK (
    (parent_id IS NULL AND root_id IS NULL AND depth = 0) OR (parent_id IS NOT NULL AND root_id IS NOT NULL AND depth > 0)),
  CONSTRAINT comments_shown CHECK ((state = 'visible') = (shown_at IS NOT NULL)),
  CONSTRAINT comments_blanked CHECK (state <> 'deleted' OR (text = '' AND deleted_at IS NOT NULL))
);

CREATE INDEX comments_newest ON comments (video_id, id DESC) WHERE root_id IS NULL;
CREATE INDEX comments_top ON comments (video_id, likes DESC, id DESC) WHERE root_id IS NULL;
CREATE INDEX comments_thread ON comments (root_id, id) WHERE root_id IS NOT NULL;
CREATE INDEX comments_parent ON comments (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX comments_counted ON comments (video_id) WHERE shown_at IS NOT NULL;
CREATE INDEX comments_author ON comments (author_id, id DESC);
CREATE INDEX comments_held ON comments (owner_id, id DESC) WHERE state = 'held';
CREATE UNIQUE INDEX comments_pinned_key ON comments (video_id) WHERE pinned_at IS NOT NULL;

CREATE TABLE comment_likes (
  comment_id uuid NOT NULL REFERENCES comments (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (comment_id, user_id)
);

CREATE INDEX comment_likes_user ON comment_likes (user_id, comment_id);

-- How an owner wants comments on all of their videos to be looked at.
CREATE TABLE comment_settings (
  owner_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  -- As typed, and in the form in which they are looked for.
  blocked_words text[] NOT NULL DEFAULT '{}' CHECK (cardinality(blocked_words) <= 500),
  blocked_keys text[] NOT NULL DEFAULT '{}' CHECK (cardinality(blocked_keys) <= 500),
  hold_links text NOT NULL DEFAULT 'nobody' CHECK (hold_links IN ('nobody', 'strangers', 'everybody')),
  updated_at timestamptz NOT NULL DEFAULT now()
);
