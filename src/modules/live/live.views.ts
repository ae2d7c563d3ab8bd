import type { z } from '@hono/zod-openapi';
import type { ChannelRow } from './channels.repository.ts';
import type { liveChannelSchema } from './live.schemas.ts';
import { rtmpsUrl, rtmpUrl, srtUrl } from './policy/ingest.ts';

export const presentChannel = (
  channel: ChannelRow,
  { rtmpPort }: { readonly rtmpPort: number },
): z.infer<typeof liveChannelSchema> => ({
  ingest: {
    rtmps_url: rtmpsUrl(channel.ingestEndpoint),
    rtmp_url: channel.insecureIngest ? rtmpUrl(channel.ingestEndpoint, rtmpPort) : null,
    srt_url: channel.srtEndpoint === null ? null : srtUrl(channel.srtEndpoint),
  },
  playback_url: channel.playbackUrl,
  latency_mode: channel.latencyMode,
  type: channel.type,
  insecure_ingest: channel.insecureIngest,
  recorded: channel.recordingConfigurationArn !== null,
  stream_key:
    channel.keyFingerprint === null || channel.keyMadeAt === null
      ? null
      : { fingerprint: channel.keyFingerprint, made_at: channel.keyMadeAt },
  created_at: channel.claimedAt,
  updated_at: channel.updatedAt,
});
