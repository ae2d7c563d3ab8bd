import { globalEmotes } from '../../../../durable-objects/chat-room/emotes.ts';
import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { deleteObjects, storeObject } from '../../../integrations/aws/index.ts';
import { tellRooms } from '../../chat/index.ts';
import { dropSideFile, orUnavailable, readSideFile } from '../../videos/index.ts';
import { emoteNameTaken, emoteNotFound, emoteUnusable, tooManyEmotes } from '../emotes.errors.ts';
import { deleteEmote, type EmoteRow, insertEmote, listOwnEmotes } from '../emotes.repository.ts';
import { emotePictures, waitingKey } from '../policy/pictures.ts';

const messages = {
  not_a_picture: 'must be a whole PNG or GIF file',
  not_square: 'must be as wide as high',
  wrong_size: 'must be 112 to 512 pixels on a side, a GIF just 112',
  too_many_bytes: 'must be at most 1 MiB, a GIF 512 KiB',
  too_many_frames: 'must have at most 60 frames',
} as const;

const contentTypes = { png: 'image/png', gif: 'image/gif' } as const;

const isGlobal = (name: string): boolean => Object.hasOwn(globalEmotes, name.toLowerCase());

/**
 * Makes an emote of the caller's channel from a picture they have sent. It may be used once it was reviewed.
 * @throws emotes.unusable, emotes.name_taken, emotes.too_many, side_files.missing, service.unavailable
 */
export async function createEmote(
  ctx: RequestContext,
  wanted: { readonly name: string; readonly fileId: string; readonly membersOnly: boolean },
): Promise<EmoteRow> {
  const ownerId = requireViewerId(ctx);
  const { aws } = ctx.config;
  if (isGlobal(wanted.name)) throw emoteNameTaken();
  const pictures = emotePictures(await readSideFile(ctx, wanted.fileId));
  if ('problem' in pictures) {
    const code = pictures.problem;
    throw emoteUnusable({ errors: [{ pointer: '/file_id', code, message: messages[code] }] });
  }
  const { format, bySize } = pictures;
  const id = ctx.ids.next();
  const keys = [...bySize.keys()].map((size) => waitingKey(id, format, size));
  await orUnavailable(
    Promise.all(
      [...bySize].map(([size, body]) =>
        storeObject(
          aws,
          { bucket: aws.uploadsBucket, key: waitingKey(id, format, size) },
          { body, contentType: contentTypes[format] },
        ),
      ),
    ),
  );
  const { name, membersOnly } = wanted;
  const emote = await insertEmote(ctx.databases.primary, { id, ownerId, name, format, membersOnly });
  if (typeof emote === 'string') {
    ctx.background(() => deleteObjects(aws, aws.uploadsBucket, keys));
    throw emote === 'too_many' ? tooManyEmotes() : emoteNameTaken();
  }
  dropSideFile(ctx, wanted.fileId);
  return emote;
}

export const listEmotes = (ctx: RequestContext): Promise<EmoteRow[]> =>
  listOwnEmotes(ctx.databases.primary, requireViewerId(ctx));

/**
 * Takes an emote of the caller's out of use. What was said with it goes on showing it.
 * @throws emotes.not_found
 */
export async function removeEmote(ctx: RequestContext, id: string): Promise<void> {
  const change = await deleteEmote(ctx.databases.primary, id, requireViewerId(ctx));
  if (change === undefined) throw emoteNotFound();
  tellRooms(ctx, change);
}
