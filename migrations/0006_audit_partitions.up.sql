SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- An audit entry is written in the statement it tells of: where no month's partition stood ready, logins and writes would
-- fail with it. This one takes what no other does.
CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

-- As before, and now: a month that begins with rows in the default partition takes them over, and waiting for a lock ends
-- after two seconds instead of queueing every write behind it.
CREATE OR REPLACE FUNCTION ensure_monthly_partitions(parent text, months_ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  first_day date := (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month')::date;
  month_start date;
  range_from timestamptz;
  range_to timestamptz;
  partition_name text;
  made integer := 0;
BEGIN
  IF parent NOT IN ('audit_log') THEN
    RAISE EXCEPTION 'not a partitioned table of this application: %', parent USING ERRCODE = '22023';
  END IF;
  FOR offset_months IN 0..least(greatest(months_ahead, 0), 24) + 1 LOOP
    month_start := (first_day + make_interval(months => offset_months))::date;
    range_from := month_start::timestamp AT TIME ZONE 'UTC';
    range_to := (month_start + interval '1 month') AT TIME ZONE 'UTC';
    partition_name := format('%s_%s', parent, to_char(month_start, 'YYYY_MM'));
    IF to_regclass(partition_name) IS NULL THEN
      -- No row of this month may arrive between the move and the attachment.
      EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition_name, parent);
      EXECUTE format('WITH moved AS (DELETE FROM %I WHERE created_at >= %L AND created_at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        parent || '_default', range_from, range_to, partition_name);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        parent, partition_name, range_from, range_to);
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END;
$$;

-- Whoever may write audit entries may make room for them, whatever the role is called.
DO $$
DECLARE
  writer name;
BEGIN
  FOR writer IN
    SELECT DISTINCT role.rolname
    FROM pg_class AS class, aclexplode(class.relacl) AS acl, pg_roles AS role
    WHERE class.oid = 'audit_log'::regclass AND acl.privilege_type = 'INSERT' AND role.oid = acl.grantee
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION ensure_monthly_partitions(text, integer) TO %I', writer);
  END LOOP;
END;
$$;
