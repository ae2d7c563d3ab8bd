SET lock_timeout = '2s';

DELETE FROM monthly_tables WHERE parent = 'chat_actions';
DROP TABLE chat_actions;
DROP TABLE chat_open_rooms;
DROP TABLE chat_bots;
DROP TABLE chat_unban_requests;
DROP TABLE chat_warnings;
DROP TABLE chat_terms;
ALTER TABLE chat_settings
  DROP COLUMN version,
  DROP COLUMN shield_preset,
  DROP COLUMN shield,
  DROP COLUMN auto_moderation,
  DROP COLUMN moderator_delay_seconds;
