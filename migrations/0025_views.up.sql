SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Over how many counter objects the watching of a video is spread: 1, or a power of two.
ALTER TABLE video_counters ADD COLUMN view_shards smallint NOT NULL DEFAULT 1 CHECK (view_shards BETWEEN 1 AND 64);

-- The last flush of each counter object that was applied: one is applied only if its number is higher. A counter gets a new id
-- when its storage begins anew, and with it new numbers.
CREATE TABLE view_flushes (
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  counter_id uuid NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0),
  flushed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (video_id, counter_id)
);

-- Random keys under which viewers nobody knows are told apart, one for each UTC day; deleted once their day is over.
CREATE TABLE view_salts (
  day date PRIMARY KEY,
  salt bytea NOT NULL CHECK (octet_length(salt) = 32),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- How a video was watched on a UTC day. Written by flushes only; docs/views.md defines every column.
CREATE TABLE video_view_days (
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  day date NOT NULL,
  views bigint NOT NULL DEFAULT 0 CHECK (views >= 0),
  -- Different viewers of the day, exact.
  viewers bigint NOT NULL DEFAULT 0 CHECK (viewers >= 0),
  -- The same viewers as 2,048 HyperLogLog registers of one byte, to be merged over days and videos (2.3 % standard error).
  viewers_sketch bytea CHECK (octet_length(viewers_sketch) = 2048),
  -- Watch sessions in which anything was watched.
  plays bigint NOT NULL DEFAULT 0 CHECK (plays >= 0),
  watch_ms bigint NOT NULL DEFAULT 0 CHECK (watch_ms >= 0),
  -- Plays that watched at least 95 % of the film.
  completions bigint NOT NULL DEFAULT 0 CHECK (completions >= 0),
  -- For each hundredth of the film, the sum over all plays of the share of it that was watched, in millionths.
  retention bigint[] NOT NULL DEFAULT array_fill(0::bigint, ARRAY[100]) CHECK (cardinality(retention) = 100),
  -- Plays whose player told how long the first picture took, and the sum of those times.
  startups bigint NOT NULL DEFAULT 0 CHECK (startups >= 0),
  startup_ms bigint NOT NULL DEFAULT 0 CHECK (startup_ms >= 0),
  rebuffer_ms bigint NOT NULL DEFAULT 0 CHECK (rebuffer_ms >= 0),
  errors bigint NOT NULL DEFAULT 0 CHECK (errors >= 0),
  PRIMARY KEY (video_id, day)
) PARTITION BY RANGE (day);
CREATE TABLE video_view_days_default PARTITION OF video_view_days DEFAULT;

-- The views, watch time and errors of a day by where they came from.
CREATE TABLE video_view_parts (
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  day date NOT NULL,
  dimension text NOT NULL CHECK (dimension IN ('source', 'referrer', 'country', 'device', 'error')),
  value text NOT NULL CHECK (char_length(value) BETWEEN 1 AND 253),
  views bigint NOT NULL DEFAULT 0 CHECK (views >= 0),
  plays bigint NOT NULL DEFAULT 0 CHECK (plays >= 0),
  watch_ms bigint NOT NULL DEFAULT 0 CHECK (watch_ms >= 0),
  -- Reports of players; only where the dimension is `error`.
  errors bigint NOT NULL DEFAULT 0 CHECK (errors >= 0),
  PRIMARY KEY (video_id, day, dimension, value)
) PARTITION BY RANGE (day);
CREATE TABLE video_view_parts_default PARTITION OF video_view_parts DEFAULT;

-- The same views and watch time by minute, for what happens just now.
CREATE TABLE video_view_minutes (
  video_id uuid NOT NULL REFERENCES videos (id) ON DELETE CASCADE,
  minute timestamptz NOT NULL CHECK (date_trunc('minute', minute, 'UTC') = minute),
  views bigint NOT NULL DEFAULT 0 CHECK (views >= 0),
  watch_ms bigint NOT NULL DEFAULT 0 CHECK (watch_ms >= 0),
  PRIMARY KEY (video_id, minute)
) PARTITION BY RANGE (minute);
CREATE TABLE video_view_minutes_default PARTITION OF video_view_minutes DEFAULT;

-- Tables with one partition for each UTC month and a default partition, and for how many months, besides the current one,
-- their rows are kept.
CREATE TABLE monthly_tables (
  parent text PRIMARY KEY,
  -- Null: for ever.
  keep_months smallint CHECK (keep_months BETWEEN 1 AND 120)
);
INSERT INTO monthly_tables (parent, keep_months) VALUES
  ('video_view_days', NULL), ('video_view_parts', NULL), ('video_view_minutes', 1);

-- Makes the partitions of every monthly table from last month to `months_ahead` months on, and drops those whose time is over.
-- Runs as its owner, since the application role cannot make tables.
CREATE FUNCTION keep_monthly_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
  this_month date := date_trunc('month', now())::date;
  monthly record;
  key name;
  month_start date;
  month_end date;
  partition_name text;
  changed integer := 0;
BEGIN
  FOR monthly IN SELECT parent, keep_months FROM monthly_tables ORDER BY parent LOOP
    SELECT attname INTO STRICT key
    FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid AND attnum = partattrs[0]
    WHERE partrelid = to_regclass(monthly.parent) AND partstrat = 'r';

    FOR offset_months IN -1..least(greatest(months_ahead, 0), 24) LOOP
      month_start := (this_month + make_interval(months => offset_months))::date;
      month_end := (month_start + interval '1 month')::date;
      partition_name := format('%s_%s', monthly.parent, to_char(month_start, 'YYYY_MM'));
      CONTINUE WHEN to_regclass(partition_name) IS NOT NULL;
      -- No row of this month may arrive between the move and the attachment.
      EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', monthly.parent || '_default');
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name, monthly.parent);
      EXECUTE format('WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *) INSERT INTO %5$I SELECT * FROM moved',
        monthly.parent || '_default', key, month_start, month_end, partition_name);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        monthly.parent, partition_name, month_start, month_end);
      changed := changed + 1;
    END LOOP;

    CONTINUE WHEN monthly.keep_months IS NULL;
    month_end := (this_month - make_interval(months => monthly.keep_months))::date;
    FOR partition_name IN
      SELECT class.relname FROM pg_inherits JOIN pg_class AS class ON class.oid = inhrelid
      WHERE inhparent = to_regclass(monthly.parent)
        AND class.relname ~ (monthly.parent || '_\d{4}_\d{2}$')
        AND to_date(right(class.relname, 7), 'YYYY_MM') < month_end
    LOOP
      EXECUTE format('DROP TABLE %I', partition_name);
      changed := changed + 1;
    END LOOP;
  END LOOP;
  RETURN changed;
END;
$$;

REVOKE ALL ON FUNCTION keep_monthly_partitions(integer) FROM PUBLIC;

-- Whoever may write views may make room for them, whatever the role is called; nobody but the owner says what is kept.
DO $$
DECLARE
  writer name;
BEGIN
  FOR writer IN
    SELECT DISTINCT role.rolname
    FROM pg_class AS class, aclexplode(class.relacl) AS acl, pg_roles AS role
    WHERE class.oid = 'video_view_days'::regclass AND acl.privilege_type = 'INSERT' AND role.oid = acl.grantee
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION keep_monthly_partitions(integer) TO %I', writer);
    IF writer <> current_user THEN
      EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON monthly_tables FROM %I', writer);
    END IF;
  END LOOP;
END;
$$;

SELECT keep_monthly_partitions(3);
