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

export const dvrPlaybackSchema = z
  .object({
    hls_url: z.string().openapi({ description: 'The recording from its beginning, as far as it has come.' }),
    query: z.string().openapi({
      description:
        'What every further request for the recording must have as its query: the address above has it already, those inside playlists do not.',
    }),
    expires_at: z.iso.datetime().nullable().openapi({
      description: 'Ask again before then. Null when the CDN asks for no signature.',
    }),
    began_at: z.iso.datetime().openapi({ description: 'The moment its first picture was sent.' }),
  })
  .openapi('DvrPlayback');

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
