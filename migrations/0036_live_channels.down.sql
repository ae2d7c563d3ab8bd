SET lock_timeout = '2s';

DROP TABLE live_viewers;
DROP TABLE live_channel_orders;
DROP TABLE live_channels;
