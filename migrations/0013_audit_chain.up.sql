SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- From where, beside the address. Address and user agent are personal data, to be erased before the entry is: the chain
-- covers a commitment to them, SHA-256 of a random salt and both, which tells nothing once the salt is gone.
ALTER TABLE audit_log ADD COLUMN country text;
ALTER TABLE audit_log ADD COLUMN user_agent text;
ALTER TABLE audit_log ADD COLUMN origin_salt bytea;
ALTER TABLE audit_log ADD COLUMN origin_commitment bytea;

-- Partitioned tables cannot be indexed concurrently.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX audit_log_origins ON audit_log (created_at) WHERE origin_salt IS NOT NULL;

-- Entries not yet in the chain, in the order they were made. An entry lands here in its own transaction, so one that commits
-- late is sealed late and not lost.
CREATE TABLE audit_pending (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  audit_id uuid NOT NULL,
  audit_created_at timestamptz NOT NULL,
  content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32)
);

-- The chain: hash = SHA-256(hash of seq - 1 || seq as 8 bytes, big-endian || content_hash); before the first stand 32 zero bytes.
CREATE TABLE audit_seals (
  seq bigint PRIMARY KEY CHECK (seq > 0),
  audit_id uuid NOT NULL,
  audit_created_at timestamptz NOT NULL,
  content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
  hash bytea NOT NULL CHECK (octet_length(hash) = 32),
  sealed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX audit_seals_entry ON audit_seals (audit_id);

-- Months whose entries were archived and dropped. Their seals stay, so the chain can still be followed through them.
CREATE TABLE audit_retirements (
  month date PRIMARY KEY,
  entries bigint NOT NULL CHECK (entries >= 0),
  retired_at timestamptz NOT NULL DEFAULT now()
);

-- One part of what is hashed, told apart from its neighbours by its length.
CREATE FUNCTION audit_part(value text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce(octet_length(convert_to(value, 'UTF8')) || ':' || value, '-') || ',' $$;

CREATE FUNCTION audit_origin_commitment(salt bytea, ip inet, user_agent text) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS
$$ SELECT sha256(salt || convert_to(audit_part(text(ip)) || audit_part(user_agent), 'UTF8')) $$;

CREATE FUNCTION audit_content_hash(entry audit_log) RETURNS bytea
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT sha256(convert_to('audit.v1,' || audit_part(entry.id::text)
    || audit_part(to_char(entry.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || audit_part(entry.actor_kind) || audit_part(entry.actor_id) || audit_part(entry.action)
    || audit_part(entry.target_kind) || audit_part(entry.target_id) || audit_part(entry.outcome)
    || audit_part(entry.country) || audit_part(entry.request_id) || audit_part(entry.detail::text)
    || audit_part(encode(entry.origin_commitment, 'hex')), 'UTF8'))
$$;

CREATE FUNCTION commit_audit_origin() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  NEW.origin_salt := CASE WHEN NEW.ip IS NULL AND NEW.user_agent IS NULL THEN NULL
    ELSE uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) END;
  NEW.origin_commitment := audit_origin_commitment(NEW.origin_salt, NEW.ip, NEW.user_agent);
  RETURN NEW;
END;
$$;

CREATE FUNCTION await_audit_seal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO audit_pending (audit_id, audit_created_at, content_hash)
  VALUES (NEW.id, NEW.created_at, audit_content_hash(NEW));
  RETURN NULL;
END;
$$;

-- Nobody changes entries or seals, their owner included, except the functions below, around the statement that does.
CREATE FUNCTION refuse_audit_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF coalesce(current_setting('social_flow.audit_change', true), '') = ''
    OR current_user <> (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
  THEN
    RAISE EXCEPTION '% of % is not allowed: the audit log is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD WHEN 'UPDATE' THEN NEW END;
END;
$$;

-- Takes from every role what an append-only table does not need, on tables made later too. Safe to repeat.
CREATE FUNCTION protect_audit_log() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  place record;
BEGIN
  FOR place IN
    SELECT class.oid, class.oid::regclass AS name, acl.grantee, grantee.rolname,
      class.relname IN ('audit_pending', 'audit_seals', 'audit_retirements') AS closed
    FROM pg_class AS class
    CROSS JOIN LATERAL (SELECT DISTINCT item.grantee FROM aclexplode(class.relacl) AS item) AS acl
    JOIN pg_roles AS grantee ON grantee.oid = acl.grantee
    WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'p') AND acl.grantee <> class.relowner
      AND (class.relname IN ('audit_log', 'audit_pending', 'audit_seals', 'audit_retirements')
        OR class.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'audit_log'::regclass))
  LOOP
    EXECUTE format('REVOKE %s ON %s FROM %I',
      CASE WHEN place.closed THEN 'ALL' ELSE 'UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER' END, place.name, place.rolname);
  END LOOP;
  FOR place IN
    SELECT part.inhrelid::regclass AS name FROM pg_inherits AS part
    WHERE part.inhparent = 'audit_log'::regclass
      AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = part.inhrelid AND tgname = 'audit_no_truncate')
  LOOP
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION refuse_audit_change()', place.name);
  END LOOP;
END;
$$;

-- Puts up to max_entries waiting entries into the chain and tells its head. One caller at a time; another gets nothing done.
CREATE FUNCTION seal_audit_log(max_entries integer, OUT sealed integer, OUT head_seq bigint, OUT head_hash text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  entry audit_pending;
  head bytea;
  taken bigint[] := '{}';
BEGIN
  sealed := 0;
  IF pg_try_advisory_xact_lock(7305003) THEN
    SELECT seq, hash INTO head_seq, head FROM audit_seals ORDER BY seq DESC LIMIT 1;
    head_seq := coalesce(head_seq, 0);
    head := coalesce(head, decode(repeat('00', 32), 'hex'));
    FOR entry IN SELECT * FROM audit_pending ORDER BY position LIMIT least(max_entries, 10000) LOOP
      head_seq := head_seq + 1;
      head := sha256(head || int8send(head_seq) || entry.content_hash);
      INSERT INTO audit_seals (seq, audit_id, audit_created_at, content_hash, hash)
      VALUES (head_seq, entry.audit_id, entry.audit_created_at, entry.content_hash, head);
      taken := taken || entry.position;
    END LOOP;
    PERFORM set_config('social_flow.audit_change', 'on', true);
    DELETE FROM audit_pending WHERE position = ANY (taken);
    PERFORM set_config('social_flow.audit_change', '', true);
    sealed := cardinality(taken);
  END IF;
  SELECT seq, encode(hash, 'hex') INTO head_seq, head_hash FROM audit_seals ORDER BY seq DESC LIMIT 1;
END;
$$;

-- Erases from where a user acted, and from where strangers tried to be that user; entries and chain stay. Part of deleting
-- an account.
CREATE FUNCTION erase_audit_addresses(subject uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  erased integer;
BEGIN
  PERFORM set_config('social_flow.audit_change', 'on', true);
  UPDATE audit_log SET ip = NULL, user_agent = NULL, origin_salt = NULL
  WHERE origin_salt IS NOT NULL
    AND ((actor_id = subject::text AND actor_kind IN ('user', 'api_key'))
      OR (target_kind = 'user' AND target_id = subject::text AND actor_kind = 'anonymous'));
  GET DIAGNOSTICS erased = ROW_COUNT;
  PERFORM set_config('social_flow.audit_change', '', true);
  INSERT INTO audit_log (id, actor_kind, actor_id, action, target_kind, target_id, outcome, detail)
  VALUES (gen_random_uuid(), 'system', 'audit.erasure', 'audit.addresses_erased', 'user', subject::text, 'success',
    jsonb_build_object('entries', erased));
  RETURN erased;
END;
$$;

-- Erases from where, of up to max_entries entries older than 180 days. The time is not the caller's to choose.
CREATE FUNCTION expire_audit_addresses(max_entries integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  erased integer;
BEGIN
  PERFORM set_config('social_flow.audit_change', 'on', true);
  UPDATE audit_log AS entry SET ip = NULL, user_agent = NULL, origin_salt = NULL
  FROM (
    SELECT id, created_at FROM audit_log
    WHERE origin_salt IS NOT NULL AND created_at < now() - interval '180 days'
    ORDER BY created_at LIMIT max_entries
  ) AS old
  WHERE entry.id = old.id AND entry.created_at = old.created_at;
  GET DIAGNOSTICS erased = ROW_COUNT;
  PERFORM set_config('social_flow.audit_change', '', true);
  RETURN erased;
END;
$$;

-- Drops the entries of a month that was archived, at the earliest two years later. For the owner, by hand.
CREATE FUNCTION retire_audit_month(month date) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  first_day date := date_trunc('month', month)::date;
  partition_name text := 'audit_log_' || to_char(month, 'YYYY_MM');
  retired bigint;
BEGIN
  IF first_day > date_trunc('month', now() AT TIME ZONE 'UTC') - interval '24 months' THEN
    RAISE EXCEPTION 'entries of % are kept for 24 months', to_char(month, 'YYYY-MM') USING ERRCODE = '22023';
  END IF;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', partition_name);
  EXECUTE format('SELECT count(*) FROM %I', partition_name) INTO retired;
  IF EXISTS (SELECT FROM audit_pending WHERE audit_created_at >= first_day::timestamp AT TIME ZONE 'UTC'
    AND audit_created_at < (first_day + interval '1 month') AT TIME ZONE 'UTC')
  THEN
    RAISE EXCEPTION '% has entries that are not sealed yet', partition_name USING ERRCODE = '55000';
  END IF;
  EXECUTE format('ALTER TABLE audit_log DETACH PARTITION %I', partition_name);
  EXECUTE format('DROP TABLE %I', partition_name);
  INSERT INTO audit_retirements (month, entries) VALUES (first_day, retired);
  INSERT INTO audit_log (id, actor_kind, actor_id, action, outcome, detail)
  VALUES (gen_random_uuid(), 'system', 'audit.retention', 'audit.month_retired', 'success',
    jsonb_build_object('month', to_char(first_day, 'YYYY-MM'), 'entries', retired));
  RETURN retired;
END;
$$;

-- As in 0006, and now: moving rows of the default partition is allowed, and a new partition is as append-only as the others.
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
      PERFORM set_config('social_flow.audit_change', 'on', true);
      EXECUTE format('WITH moved AS (DELETE FROM %I WHERE created_at >= %L AND created_at < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        parent || '_default', range_from, range_to, partition_name);
      PERFORM set_config('social_flow.audit_change', '', true);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        parent, partition_name, range_from, range_to);
      made := made + 1;
    END IF;
  END LOOP;
  IF made > 0 THEN
    PERFORM protect_audit_log();
  END IF;
  RETURN made;
END;
$$;

-- What was written before there was a chain is its beginning.
UPDATE audit_log SET origin_salt = uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) WHERE ip IS NOT NULL;
UPDATE audit_log SET origin_commitment = audit_origin_commitment(origin_salt, ip, user_agent) WHERE origin_salt IS NOT NULL;
INSERT INTO audit_pending (audit_id, audit_created_at, content_hash)
SELECT id, created_at, audit_content_hash(audit_log) FROM audit_log ORDER BY created_at, id;

CREATE TRIGGER audit_origin BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION commit_audit_origin();
CREATE TRIGGER audit_seal AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION await_audit_seal();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_seals FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_seals EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_pending FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_pending EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_retirements FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_retirements EXECUTE FUNCTION refuse_audit_change();

SELECT protect_audit_log();

REVOKE ALL ON FUNCTION audit_part(text), audit_origin_commitment(bytea, inet, text), audit_content_hash(audit_log),
  commit_audit_origin(), await_audit_seal(), refuse_audit_change(), protect_audit_log(), seal_audit_log(integer),
  erase_audit_addresses(uuid), expire_audit_addresses(integer), retire_audit_month(date) FROM PUBLIC;

-- Whoever writes audit entries may seal them and forget addresses, whatever the role is called.
DO $$
DECLARE
  writer name;
BEGIN
  FOR writer IN
    SELECT DISTINCT role.rolname
    FROM pg_class AS class, aclexplode(class.relacl) AS acl, pg_roles AS role
    WHERE class.oid = 'audit_log'::regclass AND acl.privilege_type = 'INSERT' AND role.oid = acl.grantee
  LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION seal_audit_log(integer), erase_audit_addresses(uuid), expire_audit_addresses(integer) TO %I', writer);
  END LOOP;
END;
$$;
