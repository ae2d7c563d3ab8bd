import { encodeId } from '../../shared/ids.ts';
import type { EmoteRow } from './emotes.repository.ts';
import type { EmoteView } from './emotes.schemas.ts';
import { type EmoteFormat, shownKey, sizesOf } from './policy/pictures.ts';

/** Where the pictures of an approved emote are, by their size. `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`. */
export const imagesOf = (id: string, format: EmoteFormat, cdnBaseUrl: string): Record<string, string> =>
  Object.fromEntries(
    sizesOf(format).map((size) => [String(size), `${cdnBaseUrl}/${shownKey(id, format, size)}`]),
  );

export const presentEmote = (emote: EmoteRow, cdnBaseUrl: string): EmoteView => ({
  id: encodeId('emote', emote.id),
  name: emote.name,
  format: emote.format,
  members_only: emote.membersOnly,
  state: emote.state,
  reason: emote.reason,
  images: emote.state === 'approved' ? imagesOf(emote.id, emote.format, cdnBaseUrl) : null,
  created_at: emote.createdAt,
});
