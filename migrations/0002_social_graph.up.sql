SET lock_timeout = '2s';
SET statement_timeout = '30s';

CREATE TABLE follows (
  follower_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  followee_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (follower_id, followee_id),
  CONSTRAINT follows_not_self CHECK (follower_id <> followee_id)
);

-- Fan-out walks an author's followers in this order.
CREATE INDEX follows_followee ON follows (followee_id, follower_id);
CREATE INDEX follows_follower_recent ON follows (follower_id, created_at DESC, followee_id);
CREATE INDEX follows_followee_recent ON follows (followee_id, created_at DESC, follower_id);

CREATE TABLE blocks (
  blocker_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  blocked_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (blocker_id, blocked_id),
  CONSTRAINT blocks_not_self CHECK (blocker_id <> blocked_id)
);

CREATE INDEX blocks_blocked ON blocks (blocked_id, blocker_id);
CREATE INDEX blocks_blocker_recent ON blocks (blocker_id, created_at DESC, blocked_id);
