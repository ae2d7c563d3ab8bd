SET lock_timeout = '2s';
SET statement_timeout = '30s';

DELETE FROM monthly_tables WHERE parent = 'chat_messages';
DROP TABLE chat_messages;
