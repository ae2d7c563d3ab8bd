SET lock_timeout = '2s';
SET statement_timeout = '30s';

DROP TABLE stream_viewers;
DROP FUNCTION milliseconds_in(tstzmultirange);
DROP TABLE stream_audiences;
DROP TABLE stream_chatters;
DROP TABLE stream_minutes;
DROP TABLE stream_tallies;
