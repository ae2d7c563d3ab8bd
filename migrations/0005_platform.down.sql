SET lock_timeout = '2s';

DROP FUNCTION ensure_monthly_partitions(text, integer);
DROP TABLE audit_log;
DROP TABLE dead_letters;
DROP TABLE inbound_events;
DROP TABLE processed_events;
DROP TABLE outbox;
