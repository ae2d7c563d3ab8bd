SET lock_timeout = '2s';

DROP FUNCTION refuse_audit_change() CASCADE;
DROP FUNCTION await_audit_seal() CASCADE;
DROP FUNCTION commit_audit_origin() CASCADE;
DROP FUNCTION retire_audit_month(date);
DROP FUNCTION expire_audit_addresses(integer);
DROP FUNCTION erase_audit_addresses(uuid);
DROP FUNCTION seal_audit_log(integer);
DROP FUNCTION audit_content_hash(audit_log);
DROP FUNCTION audit_origin_commitment(bytea, inet, text);
DROP FUNCTION audit_part(text);
DROP TABLE audit_retirements;
DROP TABLE audit_seals;
DROP TABLE audit_pending;

DROP INDEX audit_log_origins;
ALTER TABLE audit_log DROP COLUMN origin_commitment;
ALTER TABLE audit_log DROP COLUMN origin_salt;
ALTER TABLE audit_log DROP COLUMN user_agent;
ALTER TABLE audit_log DROP COLUMN country;

-- Who may write entries could change and delete them before.
DO $$
DECLARE
  place record;
BEGIN
  FOR place IN
    SELECT class.oid::regclass AS name, role.rolname
    FROM pg_class AS class, aclexplode(class.relacl) AS acl, pg_roles AS role
    WHERE acl.privilege_type = 'INSERT' AND role.oid = acl.grantee AND acl.grantee <> class.relowner
      AND (class.oid = 'audit_log'::regclass
        OR class.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_log'::regclass))
  LOOP
    EXECUTE format('GRANT UPDATE, DELETE ON %s TO %I', place.name, place.rolname);
  END LOOP;
END;
$$;

DROP FUNCTION protect_audit_log();

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
