SET lock_timeout = '2s';

DROP TABLE cdn_invalidations;
ALTER TABLE videos DROP COLUMN open_prefix;
DROP TABLE birth_dates;
DROP TABLE channel_members;
