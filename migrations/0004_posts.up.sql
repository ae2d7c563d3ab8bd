SET lock_timeout = '2s';
SET statement_timeout = '30s';

CREATE TABLE posts (
  id uuid PRIMARY KEY,
  author_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  text text NOT NULL CHECK (char_length(text) <= 2000),
  facets jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(facets) = 'array'),
  video_id uuid REFERENCES videos (id) ON DELETE SET NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);

CREATE INDEX posts_author ON posts (author_id, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX posts_video ON posts (video_id) WHERE video_id IS NOT NULL;

CREATE TABLE post_counters (
  post_id uuid PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
  likes integer NOT NULL DEFAULT 0 CHECK (likes >= 0)
);

CREATE TABLE post_likes (
  post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (post_id, user_id)
);

CREATE INDEX post_likes_user ON post_likes (user_id, created_at DESC, post_id);
