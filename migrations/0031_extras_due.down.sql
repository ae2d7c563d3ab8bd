SET lock_timeout = '2s';

ALTER TABLE videos DROP COLUMN extras_due_at;
