SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Roles nobody has defined cannot be had, and nobody is less than a user.
ALTER TABLE users ADD CONSTRAINT users_roles_known CHECK (
  roles <@ ARRAY['user', 'creator', 'moderator', 'advertiser', 'admin'] AND 'user' = ANY (roles)) NOT VALID;

-- The few accounts with more than the role everybody has.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX users_with_roles ON users (id) WHERE roles <> '{user}';

-- For searching by the beginning of a username, whatever the collation.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX users_username_prefix ON users (username_key text_pattern_ops);

CREATE TABLE api_keys (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
  key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
  -- The last characters of the key, which are of its checksum, so that its owner can tell it from others.
  hint text NOT NULL CHECK (char_length(hint) = 4),
  scopes text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50),
  -- Networks (CIDR) it may be used from; empty: any.
  networks text[] NOT NULL DEFAULT '{}' CHECK (cardinality(networks) <= 10),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_reason text CHECK (revoked_reason IN ('owner', 'roles_changed')),
  last_used_at timestamptz,
  last_used_network bytea CHECK (octet_length(last_used_network) = 16),
  last_used_country text CHECK (char_length(last_used_country) = 2),
  CHECK (expires_at > created_at),
  CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);

CREATE UNIQUE INDEX api_keys_hash_key ON api_keys (key_hash);
CREATE INDEX api_keys_user ON api_keys (user_id, id DESC);

-- Suspensions in force; the past is in audit_log.
CREATE TABLE suspensions (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
  suspended_by uuid REFERENCES users (id) ON DELETE SET NULL,
  suspended_at timestamptz NOT NULL,
  -- Null: until somebody lifts it.
  ends_at timestamptz CHECK (ends_at > suspended_at),
  -- What the account is again afterwards.
  previous_status text NOT NULL CHECK (previous_status IN ('active', 'deactivated'))
);

CREATE INDEX suspensions_end ON suspensions (ends_at) WHERE ends_at IS NOT NULL;
CREATE INDEX suspensions_by ON suspensions (suspended_by);

-- The role of an administrator is given by two: one proposes, another approves.
CREATE TABLE admin_proposals (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  proposed_by uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 500),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
  decided_at timestamptz,
  decided_by uuid REFERENCES users (id) ON DELETE SET NULL,
  outcome text CHECK (outcome IN ('approved', 'withdrawn', 'void')),
  CHECK ((decided_at IS NULL) = (outcome IS NULL)),
  CHECK (user_id <> proposed_by),
  CHECK (outcome IS DISTINCT FROM 'approved' OR (decided_by <> proposed_by AND decided_by <> user_id))
);

CREATE INDEX admin_proposals_open ON admin_proposals (expires_at) WHERE decided_at IS NULL;
CREATE INDEX admin_proposals_user ON admin_proposals (user_id);
CREATE INDEX admin_proposals_by ON admin_proposals (proposed_by);
