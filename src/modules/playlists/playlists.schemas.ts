import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { userSummarySchema } from '../users/index.ts';
import { videoSummarySchema } from '../videos/index.ts';

export const maxPlaylists = 1_000;
export const maxItems = 5_000;

export const playlistVisibilities = ['public', 'unlisted', 'private'] as const;
export type PlaylistVisibility = (typeof playlistVisibilities)[number];
export const playlistKinds = ['custom', 'watch_later'] as const;

const title = plainText({ min: 1, max: 150 });
const description = plainText({ min: 0, max: 5_000, multiline: true });
const visibility = z.enum(playlistVisibilities);
const allowDuplicates = z
  .boolean()
  .openapi({ description: 'Whether a video may be in the list more than once.' });

export const createPlaylistBody = z
  .strictObject({
    title,
    description: description.default(''),
    visibility: visibility.default('private'),
    allow_duplicates: allowDuplicates.default(false),
  })
  .openapi('CreatePlaylist');

export const updatePlaylistBody = z
  .strictObject({
    title: title.optional(),
    description: description.optional(),
    visibility: visibility.optional(),
    allow_duplicates: allowDuplicates.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change at least one field')
  .openapi('UpdatePlaylist');

export type PlaylistChanges = z.output<typeof updatePlaylistBody>;

const afterItem = idSchema('playlistItem').nullable();

export const addItemBody = z
  .strictObject({
    video_id: idSchema('video'),
    after_item_id: afterItem.optional().openapi({
      description: 'The item to stand right after; null: at the front. At the end when omitted.',
    }),
  })
  .openapi('AddPlaylistItem');

export const moveItemBody = z
  .strictObject({
    after_item_id: afterItem.openapi({ description: 'The item to stand right after; null: at the front.' }),
  })
  .openapi('MovePlaylistItem');

export const playlistParams = z.strictObject({ playlist_id: idSchema('playlist') });
export const playlistItemParams = z.strictObject({ playlist_item_id: idSchema('playlistItem') });
export const playlistOwnerParams = z.strictObject({ user_id: idSchema('user') });
export const laterVideoParams = z.strictObject({ video_id: idSchema('video') });

export const playlistSchema = z
  .object({
    id: z.string(),
    owner: userSummarySchema,
    kind: z.enum(playlistKinds),
    title: z.string(),
    description: z.string(),
    visibility,
    allow_duplicates: z.boolean(),
    item_count: z.int().openapi({ description: 'All items, also those the caller may not see.' }),
    cover_url: z
      .url()
      .nullable()
      .openapi({ description: 'Of the first video the caller may see whose pictures anybody may.' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .openapi('Playlist');

export type PlaylistView = z.infer<typeof playlistSchema>;

export const playlistPageSchema = pageOf(playlistSchema).openapi('PlaylistPage');

export const playlistItemSchema = z
  .object({
    id: z.string(),
    video: videoSummarySchema.nullable().openapi({
      description:
        'Null for a video the owner of the list may not see (any more). Others are not shown such items.',
    }),
    channel: userSummarySchema.nullable().openapi({ description: 'Whose video it is.' }),
    added_at: z.iso.datetime(),
  })
  .openapi('PlaylistItem');

export type PlaylistItemView = z.infer<typeof playlistItemSchema>;

export const playlistItemPageSchema = pageOf(playlistItemSchema).openapi('PlaylistItemPage');

export const playlistPositionSchema = z.uuid();

/** The last item of a page, its rank, and how often the list had been numbered anew by then. */
export const itemPositionSchema = z.strictObject({
  id: z.uuid(),
  rank: z.string().regex(/^-?\d{1,19}$/),
  numbering: z.int(),
});
export type ItemPosition = z.infer<typeof itemPositionSchema>;
