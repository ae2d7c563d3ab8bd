SET lock_timeout = '2s';

DROP TABLE watch_history_settings;
DROP TABLE watch_history;
