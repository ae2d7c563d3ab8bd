SET lock_timeout = '2s';
SET statement_timeout = '30s';

UPDATE sessions SET revoked_reason = 'admin' WHERE revoked_reason IN ('password_reset', 'deleted');
ALTER TABLE sessions DROP CONSTRAINT sessions_revoked_reason_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_revoked_reason_check CHECK (
  revoked_reason IN ('logout', 'logout_all', 'refresh_reuse', 'password_change', 'disabled', 'admin', 'limit'));
