SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Which posts stand in whose home feed. Ids only: everything else is read fresh, so deletions and blocks need no fan-out.
-- post_id is a UUIDv7, so it orders by time. No foreign keys: users and posts live in another database.
CREATE TABLE timeline_entries (
  owner_id uuid NOT NULL,
  post_id uuid NOT NULL,
  slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 479),
  author_id uuid NOT NULL,
  PRIMARY KEY (owner_id, post_id)
);

CREATE INDEX timeline_entries_author ON timeline_entries (owner_id, author_id);
CREATE INDEX timeline_entries_slot ON timeline_entries (slot, owner_id);
