SET lock_timeout = '2s';

DROP INDEX refresh_tokens_replays;
DROP INDEX sessions_user_device;
ALTER TABLE sessions DROP COLUMN device_name;
