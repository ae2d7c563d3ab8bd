import { z } from '@hono/zod-openapi';

export const latencyModes = ['LOW', 'NORMAL'] as const;
export const ivsChannelTypes = ['BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD'] as const;

export type LatencyMode = (typeof latencyModes)[number];
export type ChannelType = (typeof ivsChannelTypes)[number];

const latencyMode = z.enum(latencyModes).openapi({
  description: '`LOW`: viewers are less than three seconds behind. `NORMAL`: about ten, and nobody stalls.',
});
const type = z.enum(ivsChannelTypes).openapi({
  description:
    '`STANDARD` makes smaller renditions for slow viewers of a source up to 1080p; `BASIC` passes the source on as it is.',
});
const insecureIngest = z.boolean().openapi({
  description:
    'Whether encoders may connect without TLS, which shows the stream key to everybody on the way.',
});

export const updateChannelBody = z
  .strictObject({
    latency_mode: latencyMode.optional(),
    type: type.optional(),
    insecure_ingest: insecureIngest.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change at least one field')
  .openapi('UpdateLiveChannel');

export type ChannelChanges = z.output<typeof updateChannelBody>;

const keySchema = z.object({
  fingerprint: z.string().openapi({ description: 'Tells keys apart: the first 16 digits of its SHA-256.' }),
  made_at: z.iso.datetime(),
});

export const liveChannelSchema = z
  .object({
    ingest: z.object({
      rtmps_url: z.string(),
      rtmp_url: z.string().nullable().openapi({ description: 'Only with `insecure_ingest`.' }),
      srt_url: z.string().nullable().openapi({ description: 'Where the region of the channel has SRT.' }),
    }),
    playback_url: z
      .string()
      .openapi({ description: 'Plays with a token only, as `hls_url` of a stream has it.' }),
    latency_mode: latencyMode,
    type,
    insecure_ingest: insecureIngest,
    recorded: z.boolean(),
    stream_key: keySchema
      .nullable()
      .openapi({ description: 'The key that is good now, without itself; null when there is none.' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi('LiveChannel');

export const newStreamKeySchema = z
  .object({
    stream_key: z.string().openapi({ description: 'Shown this once.' }),
    fingerprint: z.string(),
    made_at: z.iso.datetime(),
    srt: z
      .object({ url: z.string(), stream_id: z.string(), passphrase: z.string().nullable() })
      .nullable()
      .openapi({ description: 'For encoders that send by SRT, where the region of the channel has it.' }),
  })
  .openapi('NewStreamKey');
