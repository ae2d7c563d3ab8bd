import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { utf8 } from '../../shared/encoding.ts';
import { latencyModes } from './live.schemas.ts';

/** What IVS takes (PutMetadata). */
const maxMetadataBytes = 1_024;

export const streamViewerParams = z.strictObject({
  stream_id: idSchema('stream'),
  user_id: idSchema('user'),
});

export const livePlaybackSchema = z
  .object({
    hls_url: z.string().openapi({ description: 'Low-latency HLS, with the token of this viewer.' }),
    expires_at: z.iso.datetime().openapi({ description: 'When no player can begin with it any more.' }),
    latency_mode: z.enum(latencyModes),
  })
  .openapi('LivePlayback');

export const timedMetadataBody = z
  .strictObject({
    metadata: z
      .string()
      .min(1)
      .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
      .refine((text) => utf8(text).length <= maxMetadataBytes, 'must have at most 1,024 bytes in UTF-8')
      .openapi({ maxLength: maxMetadataBytes, description: 'Any text, such as JSON: 1 KB in UTF-8.' }),
  })
  .openapi('TimedMetadata');
