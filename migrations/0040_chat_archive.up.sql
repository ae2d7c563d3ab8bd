SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- What was said in chat rooms, for good or until its month is dropped. Written by the rooms, each row once: the number of an event
-- and its time never change.
CREATE TABLE chat_messages (
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  at timestamptz NOT NULL,
  -- Its number in the log of the room.
  seq bigint NOT NULL CHECK (seq > 0),
  kind text NOT NULL CHECK (kind IN ('message', 'announcement', 'pinned', 'poll')),
  -- That of a message; others have one of their own.
  id uuid NOT NULL,
  -- Null: nobody, or an account that was erased.
  author_id uuid,
  -- The message whose words stand in this one, too.
  quotes_id uuid,
  -- As clients of the room read it.
  event jsonb NOT NULL,
  -- When its words were taken out.
  deleted_at timestamptz,
  PRIMARY KEY (stream_id, at, seq)
) PARTITION BY RANGE (at);
CREATE TABLE chat_messages_default PARTITION OF chat_messages DEFAULT;

-- Nobody waits for tables that were just made.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX chat_messages_id ON chat_messages (id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX chat_messages_author ON chat_messages (author_id, stream_id) WHERE author_id IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX chat_messages_quotes ON chat_messages (quotes_id) WHERE quotes_id IS NOT NULL;

INSERT INTO monthly_tables (parent, keep_months) VALUES ('chat_messages', 12);

SELECT keep_monthly_partitions(3);
