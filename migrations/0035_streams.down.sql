SET lock_timeout = '2s';

DROP TABLE chat_bans;
DROP TABLE chat_roles;
DROP TABLE chat_settings;
DROP TABLE streams;
