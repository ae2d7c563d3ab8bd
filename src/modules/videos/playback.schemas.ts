import { z } from '@hono/zod-openapi';
import { captionKind } from './extras.schemas.ts';

const origin = z
  .string()
  .max(2_048)
  .refine((text) => URL.canParse(text), 'must be an origin or address');

/** What a player says of itself wherever it is decided whether it may play. */
export const playerFields = {
  unlock_token: z.string().min(1).max(100).optional().openapi({ description: 'From `POST .../unlock`.' }),
  embed_origin: origin.optional().openapi({
    description: 'Origin of the page the player stands in, when it stands in one of another site.',
  }),
};

export const playbackBody = z
  .strictObject({
    ...playerFields,
    cookies: z.boolean().default(false).openapi({
      description: 'Also set signed cookies for the CDN, where the deployment has a domain for them.',
    }),
  })
  .default({ cookies: false })
  .openapi('RequestPlayback');

export type PlaybackInput = z.output<typeof playbackBody>;

export const playbackSchema = z
  .object({
    video_id: z.string(),
    hls_url: z.url(),
    dash_url: z.url(),
    storyboard_url: z.url().nullable().openapi({ description: 'WebVTT with the pictures of the seek bar.' }),
    preview_url: z.url().nullable(),
    download_url: z.url().nullable(),
    thumbnails: z.array(z.url()),
    captions: z
      .array(
        z
          .object({
            language: z.string().openapi({ description: 'BCP 47.' }),
            label: z.string(),
            kind: captionKind,
            url: z.url().openapi({ description: 'The whole track as one WebVTT file.' }),
          })
          .openapi('PlaybackCaptions'),
      )
      .openapi({
        description:
          'The tracks that both manifests name, for players that load captions by themselves, by language.',
      }),
    query: z.string().openapi({
      description:
        'What every further request for a file of this video must have as its query: the addresses above have it already, those inside manifests do not.',
    }),
    cookies: z.boolean().openapi({ description: 'Whether the answer sets cookies that do the same.' }),
    expires_at: z.iso
      .datetime()
      .nullable()
      .openapi({ description: 'Ask again before then. Null when the CDN asks for no signature.' }),
  })
  .openapi('Playback');

export type PlaybackView = z.infer<typeof playbackSchema>;

export const unlockBody = z.strictObject({ password: z.string().min(1).max(128) }).openapi('UnlockVideo');

export const unlockSchema = z
  .object({ unlock_token: z.string(), expires_at: z.iso.datetime() })
  .openapi('VideoUnlocked');
