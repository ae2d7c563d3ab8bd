SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- The few accounts that are not open, for administrators who look for them.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX users_not_active ON users (id) WHERE status <> 'active';
