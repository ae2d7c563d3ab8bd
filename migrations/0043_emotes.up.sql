SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Pictures of a channel's own that stand in its chat. The row outlives its deletion by the owner, since old messages show it.
CREATE TABLE emotes (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name ~ '^[A-Za-z0-9]{2,32}$'),
  format text NOT NULL CHECK (format IN ('png', 'gif')),
  members_only boolean NOT NULL DEFAULT false,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'rejected', 'deleted')),
  reason text CHECK (char_length(reason) <= 500),
  reviewed_by uuid REFERENCES users (id) ON DELETE SET NULL,
  reviewed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX emotes_name ON emotes (owner_id, lower(name)) WHERE state IN ('pending', 'approved');
CREATE INDEX emotes_owner ON emotes (owner_id, id DESC);
CREATE INDEX emotes_waiting ON emotes (id) WHERE state = 'pending';
CREATE INDEX emotes_reviewer ON emotes (reviewed_by) WHERE reviewed_by IS NOT NULL;

-- How somebody looks in every chat.
CREATE TABLE chat_profiles (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  color text CHECK (color ~ '^#[0-9a-f]{6}$'),
  updated_at timestamptz NOT NULL DEFAULT now()
);
