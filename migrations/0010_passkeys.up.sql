SET lock_timeout = '2s';
SET statement_timeout = '30s';

CREATE TABLE passkeys (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  credential_id bytea NOT NULL CHECK (octet_length(credential_id) BETWEEN 16 AND 1023),
  -- A COSE_Key, as the authenticator gave it.
  public_key bytea NOT NULL CHECK (octet_length(public_key) BETWEEN 16 AND 2048),
  sign_count bigint NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
  transports text[] NOT NULL,
  backup_eligible boolean NOT NULL,
  backed_up boolean NOT NULL,
  aaguid uuid NOT NULL,
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 64),
  created_at timestamptz NOT NULL,
  last_used_at timestamptz,
  CHECK (backup_eligible OR NOT backed_up)
);

CREATE UNIQUE INDEX passkeys_credential_id_key ON passkeys (credential_id);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- A challenge is not stored when it is given out, only when it is used: each is used once.
CREATE TABLE used_passkey_challenges (
  challenge bytea PRIMARY KEY CHECK (octet_length(challenge) = 32),
  expires_at timestamptz NOT NULL
);

CREATE INDEX used_passkey_challenges_expiry ON used_passkey_challenges (expires_at);
