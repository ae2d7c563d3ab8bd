SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Events written in the same transaction as the change they tell of; deleted once a queue has taken them.
CREATE TABLE outbox (
  id uuid PRIMARY KEY,
  type text NOT NULL,
  payload jsonb NOT NULL,
  traceparent text,
  created_at timestamptz NOT NULL DEFAULT now(),
  claimed_until timestamptz,
  attempts integer NOT NULL DEFAULT 0
);

CREATE INDEX outbox_waiting ON outbox (created_at);

-- What each queue handler has already done, written in the same transaction as its effect.
CREATE TABLE processed_events (
  handler text NOT NULL,
  event_id uuid NOT NULL,
  processed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (handler, event_id)
);

CREATE INDEX processed_events_age ON processed_events USING brin (processed_at);

-- Events from outside (EventBridge), kept once per id given by the sender.
CREATE TABLE inbound_events (
  source text NOT NULL,
  event_id text NOT NULL CHECK (char_length(event_id) BETWEEN 1 AND 128),
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source, event_id)
);

CREATE INDEX inbound_events_age ON inbound_events USING brin (received_at);

-- Messages no retry could save, for an operator to look at and replay.
CREATE TABLE dead_letters (
  id uuid PRIMARY KEY,
  queue text NOT NULL,
  body jsonb NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_log (
  id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  actor_kind text NOT NULL CHECK (actor_kind IN ('anonymous', 'user', 'admin', 'api_key', 'system', 'webhook')),
  actor_id text,
  action text NOT NULL,
  target_kind text,
  target_id text,
  outcome text NOT NULL CHECK (outcome IN ('success', 'denied', 'failure')),
  ip inet,
  request_id text,
  detail jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX audit_log_actor ON audit_log (actor_id, created_at DESC);
CREATE INDEX audit_log_target ON audit_log (target_kind, target_id, created_at DESC);

-- Makes the monthly partitions of a table from last month to `months_ahead` months on. Runs as its owner, since the
-- application role cannot create tables; it can only do this.
CREATE FUNCTION ensure_monthly_partitions(parent text, months_ahead integer) RETURNS integer
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

REVOKE ALL ON FUNCTION ensure_monthly_partitions(text, integer) FROM PUBLIC;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'social_flow_app') THEN
    GRANT EXECUTE ON FUNCTION ensure_monthly_partitions(text, integer) TO social_flow_app;
  END IF;
END;
$$;

SELECT ensure_monthly_partitions('audit_log', 3);
