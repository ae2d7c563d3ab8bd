SET lock_timeout = '2s';
SET statement_timeout = '30s';

CREATE TABLE totp_factors (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  sealed_secret bytea NOT NULL CHECK (octet_length(sealed_secret) BETWEEN 30 AND 256),
  created_at timestamptz NOT NULL,
  confirmed_at timestamptz,
  -- The newest time step whose code was taken: none at or before it is taken again.
  last_step bigint CHECK (last_step >= 0),
  CHECK (confirmed_at IS NULL OR last_step IS NOT NULL)
);

-- A slot is overwritten when the codes are made anew, so that two regenerations at once leave one set of ten.
CREATE TABLE backup_codes (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  slot smallint NOT NULL CHECK (slot BETWEEN 1 AND 10),
  code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  created_at timestamptz NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (user_id, slot)
);

-- A login that gave the right password and still owes a second factor.
CREATE TABLE mfa_challenges (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- SHA-256 of the stored password hash: a changed password ends the challenge.
  password_fingerprint bytea NOT NULL CHECK (octet_length(password_fingerprint) = 32),
  attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  consumed_at timestamptz
);

CREATE INDEX mfa_challenges_user ON mfa_challenges (user_id);

-- Networks, by keyed hash, from which an account was logged into: failures of others do not slow these down.
CREATE TABLE login_networks (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  network_hash bytea NOT NULL CHECK (octet_length(network_hash) = 16),
  last_login_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, network_hash)
);
