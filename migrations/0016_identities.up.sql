SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Who a person is at a provider. The provider's `sub` is the key; addresses change hands and are no identity.
CREATE TABLE identities (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  provider text NOT NULL CHECK (provider IN ('google', 'facebook', 'x', 'github', 'apple')),
  subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
  -- As the provider gave it when it was linked, to be shown to the owner.
  email text CHECK (char_length(email) BETWEEN 3 AND 254),
  sealed_refresh_token bytea CHECK (octet_length(sealed_refresh_token) BETWEEN 30 AND 8192),
  created_at timestamptz NOT NULL,
  last_used_at timestamptz
);

CREATE UNIQUE INDEX identities_subject_key ON identities (provider, subject);
CREATE UNIQUE INDEX identities_user_provider_key ON identities (user_id, provider);

-- A trip to a provider and back. Secrets are kept as SHA-256, or sealed for the row.
CREATE TABLE oauth_flows (
  id uuid PRIMARY KEY,
  provider text NOT NULL CHECK (provider IN ('google', 'facebook', 'x', 'github', 'apple')),
  purpose text NOT NULL CHECK (purpose IN ('sign_in', 'link', 'step_up')),
  state_hash bytea NOT NULL CHECK (octet_length(state_hash) = 32),
  -- Of the client that began it: S256 of a verifier only that client knows (RFC 7636).
  client_challenge text NOT NULL CHECK (char_length(client_challenge) = 43),
  return_to text NOT NULL CHECK (char_length(return_to) <= 2048),
  user_id uuid REFERENCES users (id) ON DELETE CASCADE,
  session_id uuid,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  returned_at timestamptz,
  handoff_hash bytea CHECK (octet_length(handoff_hash) = 32),
  handoff_expires_at timestamptz,
  sealed_grant bytea,
  completed_at timestamptz,
  registration_hash bytea CHECK (octet_length(registration_hash) = 32),
  registration_expires_at timestamptz,
  sealed_profile bytea,
  registered_at timestamptz,
  CHECK ((purpose = 'sign_in') = (user_id IS NULL)),
  CHECK ((user_id IS NULL) = (session_id IS NULL))
);

CREATE UNIQUE INDEX oauth_flows_state_key ON oauth_flows (state_hash);
CREATE UNIQUE INDEX oauth_flows_handoff_key ON oauth_flows (handoff_hash);
CREATE UNIQUE INDEX oauth_flows_registration_key ON oauth_flows (registration_hash);
CREATE INDEX oauth_flows_user ON oauth_flows (user_id);
CREATE INDEX oauth_flows_expiry ON oauth_flows (expires_at);

-- What came before the second factor: the session's `amr` must not claim a password that was never typed.
ALTER TABLE mfa_challenges ADD COLUMN first_factor text NOT NULL DEFAULT 'pwd';
