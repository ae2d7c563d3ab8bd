SET lock_timeout = '2s';
SET statement_timeout = '30s';

CREATE TABLE users (
  id uuid PRIMARY KEY,
  username text NOT NULL CHECK (username ~ '^[A-Za-z0-9_]{3,30}$'),
  username_key text GENERATED ALWAYS AS (lower(username)) STORED,
  email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
  email_key text GENERATED ALWAYS AS (lower(email)) STORED,
  email_verified_at timestamptz,
  password_hash text,
  display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 50),
  bio text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 500),
  website text CHECK (char_length(website) <= 2048),
  avatar_key text,
  roles text[] NOT NULL DEFAULT '{user}' CHECK (cardinality(roles) > 0),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'deactivated', 'deleted')),
  token_epoch integer NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX users_username_key ON users (username_key);
-- Only a verified address is an identity: an unverified one may stand on several accounts, so that registering
-- tells nobody whether an address is known.
CREATE UNIQUE INDEX users_verified_email_key ON users (email_key) WHERE email_verified_at IS NOT NULL;

CREATE TABLE user_counters (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  followers integer NOT NULL DEFAULT 0 CHECK (followers >= 0),
  following integer NOT NULL DEFAULT 0 CHECK (following >= 0),
  posts integer NOT NULL DEFAULT 0 CHECK (posts >= 0)
);

CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  amr text[] NOT NULL,
  auth_time timestamptz NOT NULL,
  user_agent text CHECK (char_length(user_agent) <= 400),
  ip inet,
  country text CHECK (char_length(country) = 2),
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_reason text CHECK (revoked_reason IN ('logout', 'logout_all', 'refresh_reuse', 'password_change', 'disabled', 'admin', 'limit')),
  CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);

CREATE INDEX sessions_user_active ON sessions (user_id, last_used_at DESC) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
  id uuid PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
  generation integer NOT NULL CHECK (generation >= 0),
  issued_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  rotated_at timestamptz,
  replay_blob bytea,
  replay_expires_at timestamptz,
  UNIQUE (session_id, generation)
);

CREATE UNIQUE INDEX refresh_tokens_hash_key ON refresh_tokens (token_hash);
-- One live token in a family: the database itself refuses a fork.
CREATE UNIQUE INDEX refresh_tokens_live_key ON refresh_tokens (session_id) WHERE rotated_at IS NULL;
