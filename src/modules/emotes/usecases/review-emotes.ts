import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import {
  deleteObjects,
  getObject,
  isAwsError,
  presignObject,
  storeObject,
} from '../../../integrations/aws/index.ts';
import { encodeId } from '../../../shared/ids.ts';
import { tellRooms } from '../../chat/index.ts';
import { pushToUser } from '../../realtime/index.ts';
import { orUnavailable } from '../../videos/index.ts';
import { emoteDecided, emoteNotFound, emotePictureGone } from '../emotes.errors.ts';
import { decideEmote, findEmote, listWaitingEmotes, type ReviewRow } from '../emotes.repository.ts';
import { type EmoteFormat, shownKey, sizesOf, waitingKey } from '../policy/pictures.ts';
import { maxPngBytes } from '../policy/png.ts';

const previewSeconds = 300;
const contentTypes = { png: 'image/png', gif: 'image/gif' } as const;
/** A picture never changes, but may be taken down. */
const cacheControl = 'public, max-age=86400';

/** A page of emotes that wait, each with an address at which it can be looked at. */
export async function listEmotesToReview(
  ctx: RequestContext,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<(ReviewRow & { readonly previewUrl: string })[]> {
  const { aws } = ctx.config;
  const rows = await listWaitingEmotes(ctx.databases.primary, page);
  return Promise.all(
    rows.map(async (emote) => {
      const key = waitingKey(emote.id, emote.format, Math.max(...sizesOf(emote.format)));
      const previewUrl = await presignObject(
        aws,
        { bucket: aws.uploadsBucket, key },
        { ttlSeconds: previewSeconds, nowMs: ctx.clock.now() },
      );
      return { ...emote, previewUrl };
    }),
  );
}

/**
 * Lets an emote be used: its pictures are open before it is. May be repeated after a failure.
 * @throws emotes.not_found, emotes.decided, emotes.picture_gone, service.unavailable
 */
export async function approveEmote(ctx: RequestContext, id: string): Promise<void> {
  const { aws } = ctx.config;
  const emote = await emoteToDecide(ctx, id);
  if (emote.state !== 'pending') throw emoteDecided();
  const { format } = emote;
  const keys = sizesOf(format).map((size) => shownKey(id, format, size));
  await Promise.all(sizesOf(format).map((size) => openPicture(ctx, id, format, size)));
  const decision = { state: 'approved', reason: null, by: requireViewerId(ctx) } as const;
  const change = await decideEmote(ctx, emote, decision);
  if (change === undefined) {
    const now = await findEmote(ctx.databases.primary, id);
    if (now?.state !== 'approved') await orUnavailable(deleteObjects(aws, aws.mediaBucket, keys));
    throw emoteDecided();
  }
  tellRooms(ctx, change);
  await tellOwner(ctx, id, emote.ownerId, { name: emote.name, state: 'approved', reason: null });
}

/**
 * Refuses an emote, or takes one down that is in use, and then its pictures: also of one that was refused before, so that a call
 * that failed in between can be made again.
 * @throws emotes.not_found, emotes.decided, service.unavailable
 */
export async function rejectEmote(ctx: RequestContext, id: string, reason: string): Promise<void> {
  const { aws } = ctx.config;
  const emote = await emoteToDecide(ctx, id);
  const keys = sizesOf(emote.format).map((size) => shownKey(id, emote.format, size));
  const change = await decideEmote(ctx, emote, { state: 'rejected', reason, by: requireViewerId(ctx) });
  await orUnavailable(deleteObjects(aws, aws.mediaBucket, keys));
  if (change === undefined) throw emoteDecided();
  tellRooms(ctx, change);
  await tellOwner(ctx, id, emote.ownerId, { name: emote.name, state: 'rejected', reason });
}

async function openPicture(
  ctx: RequestContext,
  id: string,
  format: EmoteFormat,
  size: number,
): Promise<void> {
  const { aws } = ctx.config;
  const from = { bucket: aws.uploadsBucket, key: waitingKey(id, format, size) };
  const to = { bucket: aws.mediaBucket, key: shownKey(id, format, size) };
  try {
    const body = Uint8Array.from(await orUnavailable(getObject(aws, from, maxPngBytes)));
    await orUnavailable(storeObject(aws, to, { body, contentType: contentTypes[format], cacheControl }));
  } catch (error) {
    throw isAwsError(error, 'NoSuchKey') ? emotePictureGone() : error;
  }
}

async function emoteToDecide(ctx: RequestContext, id: string) {
  const emote = await findEmote(ctx.databases.primary, id);
  if (emote === undefined) throw emoteNotFound();
  return emote;
}

async function tellOwner(
  ctx: RequestContext,
  id: string,
  ownerId: string,
  news: { readonly name: string; readonly state: string; readonly reason: string | null },
): Promise<void> {
  const data = { emote_id: encodeId('emote', id), ...news };
  await pushToUser(ctx, ownerId, { id: ctx.ids.next(), type: 'emote.reviewed', data });
}
