SET lock_timeout = '2s';

DROP TABLE chat_profiles;
DROP TABLE emotes;
