SET lock_timeout = '2s';

DROP FUNCTION reserved_0007();
