SET lock_timeout = '2s';

DROP TABLE blocks;
DROP TABLE follows;
