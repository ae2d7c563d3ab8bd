SET lock_timeout = '2s';

DROP INDEX users_not_active;
