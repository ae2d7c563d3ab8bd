SET lock_timeout = '2s';

DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE user_counters;
DROP TABLE users;
