SET lock_timeout = '2s';
SET statement_timeout = '30s';

ALTER TABLE chat_settings
  ADD COLUMN moderator_delay_seconds integer NOT NULL DEFAULT 0 CHECK (moderator_delay_seconds IN (0, 2, 4, 6)),
  -- How much is held back for moderators to look at, by category from 0 (nothing) to 4.
  ADD COLUMN auto_moderation jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN shield boolean NOT NULL DEFAULT false,
  -- What the shield adds to the settings while it is up; null: the one of the platform.
  ADD COLUMN shield_preset jsonb,
  -- Counts what was changed about the chat of the channel: rooms see by it that they must look.
  ADD COLUMN version bigint NOT NULL DEFAULT 0;

-- Words of a channel: those nobody may write, and those that auto-moderation leaves alone.
CREATE TABLE chat_terms (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('blocked', 'permitted')),
  term text NOT NULL CHECK (char_length(term) BETWEEN 1 AND 100),
  added_by uuid REFERENCES users (id) ON DELETE SET NULL,
  added_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (owner_id, kind, term)
);

CREATE INDEX chat_terms_by ON chat_terms (added_by) WHERE added_by IS NOT NULL;

-- Whoever is warned writes nothing in the channel until they have acknowledged it.
CREATE TABLE chat_warnings (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
  warned_by uuid REFERENCES users (id) ON DELETE SET NULL,
  warned_at timestamptz NOT NULL DEFAULT now(),
  acknowledged_at timestamptz
);

-- One at a time.
CREATE UNIQUE INDEX chat_warnings_open ON chat_warnings (owner_id, user_id) WHERE acknowledged_at IS NULL;
CREATE INDEX chat_warnings_owner ON chat_warnings (owner_id);
CREATE INDEX chat_warnings_user ON chat_warnings (user_id);
CREATE INDEX chat_warnings_by ON chat_warnings (warned_by) WHERE warned_by IS NOT NULL;

CREATE TABLE chat_unban_requests (
  id uuid PRIMARY KEY,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- Which ban is asked about: once for each.
  banned_at timestamptz NOT NULL,
  text text NOT NULL CHECK (char_length(text) BETWEEN 1 AND 500),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied')),
  note text NOT NULL DEFAULT '' CHECK (char_length(note) <= 500),
  decided_by uuid REFERENCES users (id) ON DELETE SET NULL,
  decided_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  UNIQUE (owner_id, user_id, banned_at)
);

CREATE INDEX chat_unban_requests_list ON chat_unban_requests (owner_id, state, id DESC);
CREATE INDEX chat_unban_requests_user ON chat_unban_requests (user_id);
CREATE INDEX chat_unban_requests_by ON chat_unban_requests (decided_by) WHERE decided_by IS NOT NULL;

-- Accounts of programs that the platform has looked at, and how much they may write in any 30 seconds.
CREATE TABLE chat_bots (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  messages integer NOT NULL CHECK (messages BETWEEN 20 AND 7500),
  verified_by uuid REFERENCES users (id) ON DELETE SET NULL,
  verified_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX chat_bots_by ON chat_bots (verified_by) WHERE verified_by IS NOT NULL;

-- Rooms somebody was in lately, which are told at once of what changes in their channel.
CREATE TABLE chat_open_rooms (
  stream_id uuid PRIMARY KEY REFERENCES streams (id) ON DELETE CASCADE,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX chat_open_rooms_owner ON chat_open_rooms (owner_id, seen_at DESC);

-- What was done to keep order, by whom. Rooms read from it whose standing changed, too.
CREATE TABLE chat_actions (
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- The version of the channel it made; null where nothing but one room changed.
  version bigint,
  stream_id uuid REFERENCES streams (id) ON DELETE SET NULL,
  actor_id uuid REFERENCES users (id) ON DELETE SET NULL,
  kind text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 40),
  target_id uuid REFERENCES users (id) ON DELETE SET NULL,
  message_id uuid,
  reason text NOT NULL DEFAULT '' CHECK (char_length(reason) <= 500),
  detail jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE chat_actions_default PARTITION OF chat_actions DEFAULT;

CREATE INDEX chat_actions_list ON chat_actions (owner_id, id DESC);
CREATE INDEX chat_actions_version ON chat_actions (owner_id, version) WHERE version IS NOT NULL;
CREATE INDEX chat_actions_actor ON chat_actions (actor_id) WHERE actor_id IS NOT NULL;
CREATE INDEX chat_actions_target ON chat_actions (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX chat_actions_stream ON chat_actions (stream_id) WHERE stream_id IS NOT NULL;

INSERT INTO monthly_tables (parent, keep_months) VALUES ('chat_actions', 12);
SELECT keep_monthly_partitions(3);
