SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- The caption tracks that the manifests of `hls_key` and `dash_key` name, as they name them: `[{language, label, kind, key}]`.
-- `captions` has the tracks as the owner wants them, which the manifests follow a moment later.
ALTER TABLE videos ADD COLUMN captions_played jsonb NOT NULL DEFAULT '[]';

-- What is played now, wherever no change is on its way. Where one is, its message fills this in.
UPDATE videos SET captions_played = (
  SELECT jsonb_agg(jsonb_build_object('language', track.language, 'label', track.label, 'kind', track.kind,
    'key', regexp_replace(videos.hls_key, '[^/]*$', '') || regexp_replace(track.object_key, '^.*/', ''))
    ORDER BY track.language)
  FROM captions AS track WHERE track.video_id = videos.id)
WHERE hls_key IS NOT NULL AND captions_wanted > 0 AND captions_built >= captions_wanted
  AND EXISTS (SELECT FROM captions AS track WHERE track.video_id = videos.id);
