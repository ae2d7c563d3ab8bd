SET lock_timeout = '2s';

DO $$
BEGIN
  IF EXISTS (SELECT FROM audit_log_default) THEN
    RAISE EXCEPTION 'audit_log_default has entries; SELECT ensure_monthly_partitions(''audit_log'', 3) moves them to their months';
  END IF;
END;
$$;

DROP TABLE audit_log_default;

CREATE OR REPLACE FUNCTION ensure_monthly_partitions(parent text, months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  first_day date := (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month')::date;
  month_start date;
  partition_name text;
  made integer := 0;
BEGIN
  IF parent NOT IN ('audit_log') THEN
    RAISE EXCEPTION 'not a partitioned table of this application: %', parent USING ERRCODE = '22023';
  END IF;
  FOR offset_months IN 0..least(greatest(months_ahead, 0), 24) + 1 LOOP
    month_start := (first_day + make_interval(months => offset_months))::date;
    partition_name := format('%s_%s', parent, to_char(month_start, 'YYYY_MM'));
    IF to_regclass(partition_name) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
        partition_name, parent, month_start::timestamp AT TIME ZONE 'UTC',
        (month_start + interval '1 month') AT TIME ZONE 'UTC');
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END;
$$;
