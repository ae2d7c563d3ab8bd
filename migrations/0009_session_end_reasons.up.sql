SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Why sessions end now includes a password reset and the deletion of the account.
ALTER TABLE sessions DROP CONSTRAINT sessions_revoked_reason_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_revoked_reason_check CHECK (
  revoked_reason IN ('logout', 'logout_all', 'refresh_reuse', 'password_change', 'disabled', 'admin', 'limit',
    'password_reset', 'deleted')) NOT VALID;
