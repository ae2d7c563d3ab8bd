SET lock_timeout = '2s';

DROP TABLE video_counters;
DROP INDEX videos_replacement_key;

-- What the older release does not know becomes the closest thing it knows, on the safe side.
DELETE FROM videos WHERE replaces_id IS NOT NULL;
UPDATE videos SET visibility = 'private' WHERE visibility IN ('followers', 'members') OR password_hash IS NOT NULL OR publish_at > now();
UPDATE videos SET state = 'probing' WHERE state = 'scanning';

ALTER TABLE videos DROP CONSTRAINT videos_visibility_check;
ALTER TABLE videos DROP CONSTRAINT videos_state_check;
ALTER TABLE videos
  ADD CONSTRAINT videos_visibility_check CHECK (visibility IN ('public', 'unlisted', 'private')) NOT VALID,
  ADD CONSTRAINT videos_state_check
    CHECK (state IN ('uploading', 'probing', 'transcoding', 'published', 'failed')) NOT VALID;
ALTER TABLE videos VALIDATE CONSTRAINT videos_visibility_check;
ALTER TABLE videos VALIDATE CONSTRAINT videos_state_check;

ALTER TABLE videos
  DROP COLUMN media_prefix,
  DROP COLUMN replaces_id,
  DROP COLUMN publish_at,
  DROP COLUMN tags,
  DROP COLUMN category,
  DROP COLUMN language,
  DROP COLUMN licence,
  DROP COLUMN chapters,
  DROP COLUMN end_screens,
  DROP COLUMN comment_policy,
  DROP COLUMN age_restricted,
  DROP COLUMN password_hash,
  DROP COLUMN geo_mode,
  DROP COLUMN geo_countries,
  DROP COLUMN embed_mode,
  DROP COLUMN embed_domains,
  DROP COLUMN downloads_enabled,
  DROP COLUMN custom_thumbnail_key,
  DROP COLUMN storyboard_key,
  DROP COLUMN preview_key,
  DROP COLUMN download_key;
