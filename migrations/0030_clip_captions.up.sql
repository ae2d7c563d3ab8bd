SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- The tracks a clip is to have a part of, as they stood when it was made: `[{language, label, kind, objectKey, startMs, endMs}]`.
-- Null where there is nothing to cut, or nothing any more.
ALTER TABLE videos ADD COLUMN captions_to_cut jsonb;
