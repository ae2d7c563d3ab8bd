SET lock_timeout = '2s';

DROP TABLE data_exports;
DROP TABLE account_deletions;
DROP TRIGGER users_refuse_reserved_username ON users;
DROP FUNCTION refuse_reserved_username();
DROP TABLE username_reservations;
DROP TABLE username_changes;
DROP INDEX users_deletion_due;
ALTER TABLE users DROP COLUMN deletion_due_at;
ALTER TABLE users DROP COLUMN deactivated_at;
