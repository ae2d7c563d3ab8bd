SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- What a login's user agent is called, kept as it was at login: a name not seen before is a new device.
ALTER TABLE sessions ADD COLUMN device_name text;
ALTER TABLE sessions ADD CONSTRAINT sessions_device_name_check CHECK (char_length(device_name) <= 80) NOT VALID;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sessions_user_device ON sessions (user_id, device_name);

-- Finds the sealed answers whose time is over.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX refresh_tokens_replays ON refresh_tokens (replay_expires_at) WHERE replay_expires_at IS NOT NULL;
