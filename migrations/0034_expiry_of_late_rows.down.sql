SET lock_timeout = '2s';
SET statement_timeout = '30s';

CREATE OR REPLACE FUNCTION keep_monthly_partitions(months_ahead integer) RETURNS integer
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
