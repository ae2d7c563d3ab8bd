SET lock_timeout = '2s';

DROP FUNCTION do_refresh_channel_views();
DROP TABLE channel_view_refresh;
DROP TABLE channel_view_sketches;
DROP MATERIALIZED VIEW channel_view_parts;
DROP MATERIALIZED VIEW channel_view_days;
