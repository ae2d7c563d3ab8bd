SET lock_timeout = '2s';

DROP TABLE timeline_entries;
