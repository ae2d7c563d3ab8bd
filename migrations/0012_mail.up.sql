SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- One row for each mail that is to go out, by the event that asks for it: sent once, however often the event arrives.
CREATE TABLE mail_deliveries (
  event_id uuid PRIMARY KEY,
  -- Nobody else sends it before then, so a sender that died holds it up no longer.
  claimed_until timestamptz NOT NULL,
  settled_at timestamptz,
  outcome text CHECK (outcome IN ('sent', 'refused', 'not_wanted')),
  CHECK ((settled_at IS NULL) = (outcome IS NULL))
);

CREATE INDEX mail_deliveries_age ON mail_deliveries (claimed_until);

-- What a mail asks its reader to confirm. The token itself exists only in the mail: it is made when the mail is sent.
CREATE TABLE account_tokens (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  purpose text NOT NULL CHECK (purpose IN ('verify_email', 'change_email', 'reset_password')),
  email text NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
  -- SHA-256 of the token; null until the mail is sent.
  token_hash bytea CHECK (octet_length(token_hash) = 32),
  requested_at timestamptz NOT NULL,
  -- Before the mail is sent: until when it is worth sending. After: the end of the token.
  expires_at timestamptz NOT NULL,
  sent_at timestamptz,
  used_at timestamptz
);

CREATE UNIQUE INDEX account_tokens_hash_key ON account_tokens (token_hash) WHERE token_hash IS NOT NULL;
CREATE INDEX account_tokens_user ON account_tokens (user_id, purpose);
CREATE INDEX account_tokens_email ON account_tokens (lower(email), sent_at);
CREATE INDEX account_tokens_expiry ON account_tokens (expires_at);
