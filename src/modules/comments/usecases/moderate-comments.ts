import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { commentNotFound, commentNotShown, commentNotTop } from '../comments.errors.ts';
import type { CommentSettings } from '../comments.schemas.ts';
import type { CommentRow, HeldCommentRow } from '../comments.views.ts';
import {
  approveComment as approveRow,
  findCommentSettings,
  heartComment as heartRow,
  listHeld,
  pinComment as pinRow,
  type Reviewed,
  rejectComment as rejectRow,
  saveCommentSettings,
  unheartComment as unheartRow,
  unpinComment as unpinRow,
} from '../moderation.repository.ts';
import { filterKeyOf } from '../policy/word-filter.ts';

const ownedBy = (ctx: RequestContext, id: string) => ({ id, ownerId: requireViewerId(ctx) });

const found = (comment: CommentRow | undefined): CommentRow => {
  if (comment === undefined) throw commentNotFound();
  return comment;
};

/**
 * Pins a comment on a video of the caller's; it takes the place of the one pinned before.
 * @throws comments.not_found, comments.not_shown, comments.not_top_level.
 */
export async function pinComment(ctx: RequestContext, id: string): Promise<CommentRow> {
  const comment = found(await pinRow(ctx.databases.primary, ownedBy(ctx, id)));
  if (comment.state !== 'visible') throw commentNotShown();
  if (comment.rootId !== null) throw commentNotTop();
  return comment;
}

/** @throws comments.not_found */
export const unpinComment = async (ctx: RequestContext, id: string): Promise<CommentRow> =>
  found(await unpinRow(ctx.databases.primary, ownedBy(ctx, id)));

/**
 * Gives a comment on a video of the caller's a heart.
 * @throws comments.not_found, comments.not_shown.
 */
export async function heartComment(ctx: RequestContext, id: string): Promise<CommentRow> {
  const event = newEvent(ctx, 'comment.hearted', {});
  const comment = found(await heartRow(ctx.databases.primary, ownedBy(ctx, id), event));
  if (comment.state !== 'visible') throw commentNotShown();
  publishAfterResponse(ctx, [event.id]);
  return comment;
}

/** @throws comments.not_found */
export const unheartComment = async (ctx: RequestContext, id: string): Promise<CommentRow> =>
  found(await unheartRow(ctx.databases.primary, ownedBy(ctx, id)));

/**
 * Lets others see a comment on a video of the caller's that was held or rejected.
 * @throws comments.not_found
 */
export async function approveComment(ctx: RequestContext, id: string): Promise<CommentRow> {
  const events = {
    approved: newEvent(ctx, 'comment.approved', {}),
    shown: newEvent(ctx, 'comment.shown', {}),
  };
  return published(ctx, await approveRow(ctx, ownedBy(ctx, id), events));
}

/**
 * Keeps a comment on a video of the caller's from others, whether it was held or visible.
 * @throws comments.not_found
 */
export const rejectComment = async (ctx: RequestContext, id: string): Promise<CommentRow> =>
  published(ctx, await rejectRow(ctx, ownedBy(ctx, id), newEvent(ctx, 'comment.hidden', {})));

function published(ctx: RequestContext, { comment, eventIds }: Reviewed): CommentRow {
  publishAfterResponse(ctx, eventIds);
  return found(comment);
}

/** The comments that wait on all videos of the caller, newest first. */
export const listHeldComments = (
  ctx: RequestContext,
  page: { readonly before: string | undefined; readonly limit: number },
): Promise<HeldCommentRow[]> => listHeld(ctx.readDb, requireViewerId(ctx), page);

/** How the caller wants comments to be looked at. */
export async function getCommentSettings(ctx: RequestContext): Promise<CommentSettings> {
  const settings = await findCommentSettings(ctx.readDb, requireViewerId(ctx));
  return {
    blocked_words: [...(settings?.blockedWords ?? [])],
    hold_links: settings?.holdLinks ?? 'nobody',
  };
}

/** Sets it. Words that are looked for in the same form count once; comments made before are not looked at again. */
export async function setCommentSettings(
  ctx: RequestContext,
  settings: CommentSettings,
): Promise<CommentSettings> {
  const byKey = new Map<string, string>();
  for (const word of settings.blocked_words) {
    const key = filterKeyOf(word);
    if (key !== undefined && !byKey.has(key)) byKey.set(key, word);
  }
  const blockedWords = [...byKey.values()];
  const row = { blockedWords, keys: [...byKey.keys()], holdLinks: settings.hold_links };
  await saveCommentSettings(ctx.databases.primary, requireViewerId(ctx), row);
  return { blocked_words: blockedWords, hold_links: settings.hold_links };
}
