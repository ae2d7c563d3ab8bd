SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Whom a channel lets see what is for its members. Written by the owner, later by payments.
CREATE TABLE channel_members (
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  granted_at timestamptz NOT NULL DEFAULT now(),
  -- Null: until it is taken away.
  expires_at timestamptz,
  PRIMARY KEY (owner_id, user_id),
  CONSTRAINT channel_members_not_self CHECK (owner_id <> user_id)
);
CREATE INDEX channel_members_user ON channel_members (user_id, owner_id);
CREATE INDEX channel_members_recent ON channel_members (owner_id, granted_at DESC, user_id);

-- When people say they were born: opened only to tell whether somebody is of age, and in the export of the account.
CREATE TABLE birth_dates (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  sealed_date bytea NOT NULL,
  stated_at timestamptz NOT NULL DEFAULT now()
);

-- Folder of the copies of stills, storyboard and preview that anybody may fetch without a signature, ending in a slash. Null: none.
ALTER TABLE videos ADD COLUMN open_prefix text;

-- What has to be copied there, and what taken away again. Small: a row leaves with the work.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_stills_to_open ON videos (updated_at)
  WHERE state = 'published' AND deleted_at IS NULL AND replaces_id IS NULL AND visibility IN ('public', 'unlisted')
    AND password_hash IS NULL AND NOT age_restricted
    AND open_prefix IS DISTINCT FROM 'open/' || substr(coalesce(media_prefix, 'media/' || id::text || '/v' || revision::text || '/'), 7);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX videos_stills_to_close ON videos (updated_at)
  WHERE open_prefix IS NOT NULL
    AND (deleted_at IS NOT NULL OR visibility NOT IN ('public', 'unlisted') OR password_hash IS NOT NULL OR age_restricted);

-- Paths the CDN is to forget. A row is deleted when the CDN is done with it.
CREATE TABLE cdn_invalidations (
  id uuid PRIMARY KEY,
  path text NOT NULL CHECK (char_length(path) BETWEEN 2 AND 4000 AND path LIKE '/%'),
  requested_at timestamptz NOT NULL DEFAULT now(),
  -- The CallerReference under which it is sent; null while it waits.
  batch_id uuid,
  claimed_at timestamptz,
  -- The CDN's own id of the batch, once it has accepted it.
  invalidation_id text,
  CONSTRAINT cdn_invalidations_claimed CHECK ((batch_id IS NULL) = (claimed_at IS NULL)),
  CONSTRAINT cdn_invalidations_accepted CHECK (invalidation_id IS NULL OR batch_id IS NOT NULL)
);
-- However often a path is asked for, it waits once.
CREATE UNIQUE INDEX cdn_invalidations_waiting_key ON cdn_invalidations (path) WHERE batch_id IS NULL;
CREATE INDEX cdn_invalidations_waiting ON cdn_invalidations (requested_at) WHERE batch_id IS NULL;
CREATE INDEX cdn_invalidations_batch ON cdn_invalidations (batch_id) WHERE batch_id IS NOT NULL;
