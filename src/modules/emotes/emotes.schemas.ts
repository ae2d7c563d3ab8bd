import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';

const name = z.string().regex(/^[A-Za-z0-9]{2,32}$/, 'must be 2 to 32 letters or digits');
const images = z
  .record(z.string(), z.url())
  .openapi({ description: 'Addresses by the pixels of a side: 28, 56 and 112; an animation has 112 only.' });

export const createEmoteBody = z
  .strictObject({
    name: name.openapi({ description: 'Written between colons in chat.' }),
    file_id: idSchema('sideFile').openapi({
      description:
        'A file sent for the purpose `emote`: a square PNG of 112 to 512 pixels and at most 1 MiB; or `animated_emote`: a GIF of 112 by 112 pixels, at most 60 frames and 512 KiB.',
    }),
    members_only: z.boolean().default(false),
  })
  .openapi('CreateEmote');

export const emoteParams = z.strictObject({ emote_id: idSchema('emote') });

export const emoteSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    format: z.enum(['png', 'gif']),
    members_only: z.boolean(),
    state: z.enum(['pending', 'approved', 'rejected', 'deleted']),
    reason: z.string().nullable().openapi({ description: 'Why it was rejected.' }),
    images: images.nullable().openapi({ description: 'Once it is approved.' }),
    created_at: z.iso.datetime(),
  })
  .openapi('Emote');
export type EmoteView = z.infer<typeof emoteSchema>;

export const emoteListSchema = z.object({ data: z.array(emoteSchema) }).openapi('EmoteList');

export const roomEmotesSchema = z
  .object({
    global: z.array(z.object({ name: z.string(), emoji: z.string() })),
    channel: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        format: z.enum(['png', 'gif']),
        members_only: z.boolean(),
        images,
      }),
    ),
    template: z.string().openapi({
      description: 'Addresses of pictures, for `emote_id`, `size` and `format` of an emote in a message.',
    }),
  })
  .openapi('RoomEmotes');

export const waitingEmoteSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    format: z.enum(['png', 'gif']),
    members_only: z.boolean(),
    owner: z.object({ id: z.string(), username: z.string() }),
    preview_url: z.url().openapi({ description: 'The picture at its greatest size, for five minutes.' }),
    created_at: z.iso.datetime(),
  })
  .openapi('WaitingEmote');
export const waitingEmotesSchema = pageOf(waitingEmoteSchema).openapi('WaitingEmotePage');
export const waitingPositionSchema = z.uuid();

export const rejectEmoteBody = z
  .strictObject({ reason: plainText({ min: 1, max: 500 }) })
  .openapi('RejectEmote');
