SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- When the owner closed the account, and when what is left of it may be erased; both empty while the account is open.
ALTER TABLE users ADD COLUMN deactivated_at timestamptz;
ALTER TABLE users ADD COLUMN deletion_due_at timestamptz;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX users_deletion_due ON users (deletion_due_at) WHERE deletion_due_at IS NOT NULL;

CREATE TABLE username_changes (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  old_username text NOT NULL CHECK (char_length(old_username) <= 30),
  new_username text NOT NULL CHECK (char_length(new_username) <= 30),
  changed_at timestamptz NOT NULL
);

CREATE INDEX username_changes_user ON username_changes (user_id, changed_at DESC);

-- Names that only their former owner may take. By digest, so that nothing readable is left of a deleted account.
CREATE TABLE username_reservations (
  name_hash bytea PRIMARY KEY CHECK (octet_length(name_hash) = 32),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  reserved_until timestamptz NOT NULL
);

CREATE INDEX username_reservations_user ON username_reservations (user_id);
CREATE INDEX username_reservations_expiry ON username_reservations (reserved_until);

-- Whoever takes a name waits at its unique index for the one who gives it up, and comes here after that: the reservation
-- written with the giving up is seen, whatever code path makes or renames a user.
CREATE FUNCTION refuse_reserved_username() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (
    SELECT FROM username_reservations
    WHERE name_hash = sha256(convert_to(lower(NEW.username), 'UTF8')) AND user_id <> NEW.id AND reserved_until > now()
  ) THEN
    RAISE EXCEPTION 'username is reserved for its former owner'
      USING ERRCODE = '23505', CONSTRAINT = 'users_username_key', TABLE = 'users';
  END IF;
  RETURN NULL;
END;
$$;

CREATE TRIGGER users_refuse_reserved_username AFTER INSERT OR UPDATE OF username ON users
FOR EACH ROW EXECUTE FUNCTION refuse_reserved_username();

-- An account whose grace is over, and how far its erasure has come.
CREATE TABLE account_deletions (
  user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  step text NOT NULL CHECK (char_length(step) <= 40),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_attempt_at timestamptz NOT NULL,
  failure_code text CHECK (char_length(failure_code) <= 80),
  started_at timestamptz NOT NULL,
  finished_at timestamptz
);

CREATE INDEX account_deletions_waiting ON account_deletions (next_attempt_at) WHERE finished_at IS NULL;

CREATE TABLE data_exports (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  state text NOT NULL CHECK (state IN ('pending', 'running', 'ready', 'failed')),
  progress_percent smallint NOT NULL DEFAULT 0 CHECK (progress_percent BETWEEN 0 AND 100),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  -- The run that works on it, and until when nobody else may.
  run_id uuid,
  claimed_until timestamptz,
  object_key text NOT NULL CHECK (char_length(object_key) <= 200),
  size_bytes bigint CHECK (size_bytes > 0),
  failure_code text CHECK (char_length(failure_code) <= 80),
  requested_at timestamptz NOT NULL,
  finished_at timestamptz,
  expires_at timestamptz,
  CHECK (state <> 'ready' OR (size_bytes IS NOT NULL AND expires_at IS NOT NULL)),
  CHECK (state <> 'failed' OR failure_code IS NOT NULL)
);

CREATE UNIQUE INDEX data_exports_running_key ON data_exports (user_id) WHERE state IN ('pending', 'running');
CREATE INDEX data_exports_user ON data_exports (user_id, requested_at DESC);
CREATE INDEX data_exports_waiting ON data_exports (claimed_until) WHERE state IN ('pending', 'running');
CREATE INDEX data_exports_expiry ON data_exports (expires_at) WHERE expires_at IS NOT NULL;
