SET lock_timeout = '2s';

DROP TABLE comment_settings;
DROP TABLE comment_likes;
DROP TABLE comments;
DROP TABLE video_ratings;

-- What the dropped tables counted.
UPDATE video_counters SET likes = 0, dislikes = 0, comments = 0 WHERE likes > 0 OR dislikes > 0 OR comments > 0;

ALTER TABLE videos DROP COLUMN tag_keys;
