SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- A broadcast of a channel, from its announcement on. Its chat room is open from then until after its end.
CREATE TABLE streams (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 150),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 5000),
  visibility text NOT NULL DEFAULT 'public'
    CHECK (visibility IN ('public', 'unlisted', 'private', 'followers', 'members')),
  state text NOT NULL DEFAULT 'scheduled' CHECK (state IN ('scheduled', 'canceled')),
  scheduled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX streams_owner ON streams (owner_id, id DESC);

-- How the chat of a channel begins with each stream.
CREATE TABLE chat_settings (
  owner_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  slow_seconds integer NOT NULL DEFAULT 0 CHECK (slow_seconds = 0 OR slow_seconds BETWEEN 3 AND 120),
  members_only boolean NOT NULL DEFAULT false,
  followers_only_minutes integer CHECK (followers_only_minutes BETWEEN 0 AND 129600),
  emote_only boolean NOT NULL DEFAULT false,
  unique_only boolean NOT NULL DEFAULT false,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE chat_roles (
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('moderator', 'vip')),
  granted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, user_id),
  CHECK (owner_id <> user_id)
);

CREATE INDEX chat_roles_user ON chat_roles (user_id);

-- Who may not write in any chat of a channel; null `until` is for good.
CREATE TABLE chat_bans (
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  until timestamptz,
  reason text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 500),
  banned_by uuid REFERENCES users (id) ON DELETE SET NULL,
  banned_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner_id, user_id)
);

CREATE INDEX chat_bans_user ON chat_bans (user_id);
CREATE INDEX chat_bans_by ON chat_bans (banned_by) WHERE banned_by IS NOT NULL;
