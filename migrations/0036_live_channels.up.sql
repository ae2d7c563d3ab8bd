SET lock_timeout = '2s';
SET statement_timeout = '30s';

-- Channels at IVS: without an owner those that wait to be given to somebody. A channel never goes from one owner to another.
CREATE TABLE live_channels (
  arn text PRIMARY KEY CHECK (char_length(arn) <= 128),
  owner_id uuid UNIQUE REFERENCES users (id),
  ingest_endpoint text NOT NULL,
  srt_endpoint text,
  playback_url text NOT NULL,
  latency_mode text NOT NULL CHECK (latency_mode IN ('LOW', 'NORMAL')),
  type text NOT NULL CHECK (type IN ('BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD')),
  insecure_ingest boolean NOT NULL DEFAULT false,
  recording_configuration_arn text,
  -- The stream key somebody was shown; null when nobody knows the key of the channel.
  key_arn text,
  key_fingerprint text,
  key_made_at timestamptz,
  -- Its keys are to be deleted, and what is on air to be ended.
  stop_due_at timestamptz,
  -- The channel is to be deleted.
  retired_at timestamptz,
  claimed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((key_arn IS NULL) = (key_fingerprint IS NULL) AND (key_arn IS NULL) = (key_made_at IS NULL)),
  CHECK (owner_id IS NULL OR (claimed_at IS NOT NULL AND retired_at IS NULL))
);

CREATE INDEX live_channels_pool ON live_channels (created_at)
  WHERE owner_id IS NULL AND retired_at IS NULL;
CREATE INDEX live_channels_due ON live_channels (arn)
  WHERE stop_due_at IS NOT NULL OR retired_at IS NOT NULL;

-- Channels IVS was or will be asked to make, by the name they have there: one whose answer was lost is found by it.
CREATE TABLE live_channel_orders (
  name text PRIMARY KEY,
  ordered_at timestamptz NOT NULL DEFAULT now()
);

-- Who was let in to watch a stream, for days: when they may not see it any more their playback ends. All who are not signed in
-- are one viewer, with the id zero.
CREATE TABLE live_viewers (
  stream_id uuid NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
  viewer_id uuid NOT NULL,
  -- When they got their last token.
  issued_at timestamptz,
  -- Tokens from before then are refused.
  revoked_at timestamptz,
  -- The owner has sent them away for the rest of the stream.
  barred_at timestamptz,
  PRIMARY KEY (stream_id, viewer_id),
  CHECK (issued_at IS NOT NULL OR barred_at IS NOT NULL)
);

CREATE INDEX live_viewers_viewer ON live_viewers (viewer_id);
