SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- A number that was proven to be the user's. It counts beside the authenticator it was proven beside, and never alone.
CREATE TABLE phone_factors (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  -- Another number is another id: codes sent to the one before are void.
  id uuid NOT NULL UNIQUE,
  sealed_number bytea NOT NULL CHECK (octet_length(sealed_number) BETWEEN 30 AND 256),
  verified_at timestamptz NOT NULL
);

-- Codes sent by SMS, one for each login, session or enrolment that asked; a later one takes its place.
CREATE TABLE sms_codes (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  purpose text NOT NULL CHECK (purpose IN ('enrol', 'login', 'step_up')),
  -- What the code is for and good for nowhere else: the challenge of a login, or the session.
  binding uuid NOT NULL,
  phone_id uuid NOT NULL,
  -- The number that waits to be proven; becomes that of phone_factors.
  sealed_number bytea CHECK (octet_length(sealed_number) BETWEEN 30 AND 256),
  -- HMAC: a plain hash of six digits is undone by trying all of them.
  code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
  attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (user_id, purpose, binding),
  CHECK ((purpose = 'enrol') = (sealed_number IS NOT NULL))
);
