SET lock_timeout = '2s';

DROP TABLE post_likes;
DROP TABLE post_counters;
DROP TABLE posts;
