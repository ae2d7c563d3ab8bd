SET lock_timeout = '2s';

CREATE OR REPLACE FUNCTION seal_audit_log(max_entries integer, OUT sealed integer, OUT head_seq bigint, OUT head_hash text)
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

CREATE OR REPLACE FUNCTION erase_audit_addresses(subject uuid) RETURNS integer
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
