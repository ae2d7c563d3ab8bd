SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- How everything of a channel was watched on a UTC day, as of the last refresh. Analytics of channels with many watched days of
-- videos read these instead of the rows of every video.
CREATE MATERIALIZED VIEW channel_view_days AS
  SELECT video.owner_id, watched.day, count(*) AS videos, sum(watched.views)::bigint AS views,
    -- Different viewers are known exactly where they all watched the same video.
    CASE WHEN count(*) = 1 THEN max(watched.viewers) END AS viewers,
    -- Changes with the viewers of any of the videos, and with the videos: then the sketch of the day is merged anew.
    bit_xor(hashtextextended(watched.video_id::text, watched.viewers)) AS fingerprint,
    sum(watched.plays)::bigint AS plays, sum(watched.watch_ms)::bigint AS watch_ms,
    sum(watched.completions)::bigint AS completions, sum(watched.startups)::bigint AS startups,
    sum(watched.startup_ms)::bigint AS startup_ms, sum(watched.rebuffer_ms)::bigint AS rebuffer_ms,
    sum(watched.errors)::bigint AS errors
  FROM video_view_days AS watched JOIN videos AS video ON video.id = watched.video_id
  WHERE video.deleted_at IS NULL AND video.replaces_id IS NULL
  GROUP BY video.owner_id, watched.day;
-- Nobody waits for a view that was just made.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX channel_view_days_key ON channel_view_days (owner_id, day);

-- The same by where it came from.
CREATE MATERIALIZED VIEW channel_view_parts AS
  SELECT video.owner_id, watched.day, watched.dimension, watched.value, sum(watched.views)::bigint AS views,
    sum(watched.plays)::bigint AS plays, sum(watched.watch_ms)::bigint AS watch_ms, sum(watched.errors)::bigint AS errors
  FROM video_view_parts AS watched JOIN videos AS video ON video.id = watched.video_id
  WHERE video.deleted_at IS NULL AND video.replaces_id IS NULL
  GROUP BY video.owner_id, watched.day, watched.dimension, watched.value;
-- Nobody waits for a view that was just made.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX channel_view_parts_key ON channel_view_parts (owner_id, day, dimension, value);

-- The viewers of a large channel on a day: the sketches of its videos, merged. No view, since only what changed is merged anew.
CREATE TABLE channel_view_sketches (
  owner_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  day date NOT NULL,
  -- That of the view when they were merged, or shortly before.
  fingerprint bigint NOT NULL,
  -- Null: nobody watched enough for a view.
  viewers_sketch bytea CHECK (octet_length(viewers_sketch) = 2048),
  PRIMARY KEY (owner_id, day)
);

-- When they were added up. From `live_from` on, flushes still change days, and readers take the rows of the videos.
CREATE TABLE channel_view_refresh (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  refreshed_at timestamptz NOT NULL,
  live_from date NOT NULL,
  -- As of when all sketches are merged; behind `refreshed_at` while that is done.
  viewers_at timestamptz CHECK (viewers_at <= refreshed_at)
);

-- Refreshes the views in one transaction, so that readers see both or neither. False where another refresh runs. Runs as its
-- owner, since nobody else may refresh a view.
CREATE FUNCTION do_refresh_channel_views() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('refresh_channel_views', 0)) THEN
    RETURN false;
  END IF;
  REFRESH MATERIALIZED VIEW CONCURRENTLY channel_view_days;
  REFRESH MATERIALIZED VIEW CONCURRENTLY channel_view_parts;
  INSERT INTO channel_view_refresh (refreshed_at, live_from) VALUES (now(), (now() AT TIME ZONE 'UTC')::date - 1)
  ON CONFLICT (singleton) DO UPDATE SET refreshed_at = excluded.refreshed_at, live_from = excluded.live_from;
  RETURN true;
END;
$$;

REVOKE ALL ON FUNCTION do_refresh_channel_views() FROM PUBLIC;

-- Whoever may write views may have them added up, whatever the role is called.
DO $$
DECLARE
  writer name;
BEGIN
  FOR writer IN
    SELECT DISTINCT role.rolname
    FROM pg_class AS class, aclexplode(class.relacl) AS acl, pg_roles AS role
    WHERE class.oid = 'video_view_days'::regclass AND acl.privilege_type = 'INSERT' AND role.oid = acl.grantee
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION do_refresh_channel_views() TO %I', writer);
  END LOOP;
END;
$$;

SELECT do_refresh_channel_views();
