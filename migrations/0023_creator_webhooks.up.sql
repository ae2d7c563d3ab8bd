SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Where a user wants to be told of events, by signed POST requests.
CREATE TABLE webhook_endpoints (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  url text NOT NULL CHECK (char_length(url) BETWEEN 8 AND 2048),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 200),
  -- Empty: every type, also those that come later.
  event_types text[] NOT NULL DEFAULT '{}' CHECK (cardinality(event_types) <= 50),
  enabled boolean NOT NULL DEFAULT true,
  disabled_reason text CHECK (disabled_reason IN ('owner', 'gone', 'failing')),
  disabled_at timestamptz,
  sealed_secret bytea NOT NULL CHECK (octet_length(sealed_secret) BETWEEN 30 AND 256),
  -- The secret before, which signs too until it expires. Sealed as sealed_secret, where it comes from.
  sealed_old_secret bytea CHECK (octet_length(sealed_old_secret) BETWEEN 30 AND 256),
  old_secret_expires_at timestamptz,
  -- Since when nothing has arrived there. Null: the last attempt succeeded, or there was none.
  failing_since timestamptz,
  -- Who delivers to it now, and until when nobody else does.
  claim_id uuid,
  claimed_until timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CHECK (enabled = (disabled_reason IS NULL)),
  CHECK (enabled = (disabled_at IS NULL)),
  CHECK ((sealed_old_secret IS NULL) = (old_secret_expires_at IS NULL))
);

CREATE INDEX webhook_endpoints_user ON webhook_endpoints (user_id, id DESC);

-- One event for one endpoint. The body is what was signed, to the byte.
CREATE TABLE webhook_deliveries (
  id uuid PRIMARY KEY,
  endpoint_id uuid NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
  event_id uuid NOT NULL,
  type text NOT NULL CHECK (char_length(type) BETWEEN 1 AND 100),
  body text NOT NULL CHECK (octet_length(body) <= 65536),
  state text NOT NULL CHECK (state IN ('waiting', 'succeeded', 'failed')),
  failure_reason text CHECK (failure_reason IN ('exhausted', 'endpoint_disabled', 'gone')),
  -- Since it was made or last replayed.
  attempts smallint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  due_at timestamptz,
  last_status smallint,
  last_error text CHECK (char_length(last_error) <= 50),
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  CHECK ((state = 'waiting') = (due_at IS NOT NULL)),
  CHECK ((state = 'waiting') = (finished_at IS NULL)),
  CHECK ((state = 'failed') = (failure_reason IS NOT NULL))
);

CREATE UNIQUE INDEX webhook_deliveries_event_key ON webhook_deliveries (endpoint_id, event_id);
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (endpoint_id, id DESC);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (endpoint_id, due_at, id) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);

CREATE TABLE webhook_attempts (
  id uuid PRIMARY KEY,
  delivery_id uuid NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
  started_at timestamptz NOT NULL,
  duration_ms integer NOT NULL CHECK (duration_ms >= 0),
  -- Null: no answer.
  status smallint,
  error text CHECK (char_length(error) <= 50),
  response_excerpt text NOT NULL DEFAULT '' CHECK (char_length(response_excerpt) <= 1024)
);

CREATE INDEX webhook_attempts_delivery ON webhook_attempts (delivery_id, id DESC);
