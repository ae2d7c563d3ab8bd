import type { RequestContext } from '../../../context.ts';
import { type ActionRow, listActions } from '../actions.repository.ts';
import { noSuchTerm, tooManyTerms } from '../chat.errors.ts';
import {
  type AutoModeration,
  type ChannelRow,
  defaultShieldPreset,
  noAutoModeration,
  type ShieldPreset,
} from '../policy/rules.ts';
import {
  deleteTerm,
  findChannel,
  insertTerm,
  listTerms,
  saveAutoModeration,
  saveShieldPreset,
  type TermKind,
  type TermRow,
} from '../settings.repository.ts';
import { requireModerator } from './channel-access.ts';
import { tellRooms } from './tell-rooms.ts';

/** The shield of a channel. */
export interface Shield {
  readonly isUp: boolean;
  readonly preset: ShieldPreset;
}

const shieldOf = ({ shield, shield_preset }: ChannelRow): Shield => ({
  isUp: shield,
  preset: shield_preset ?? defaultShieldPreset,
});

/**
 * The shield of a channel, for those who keep order there, as all of these.
 * @throws users.not_found, chat.not_moderator.
 */
export async function getShield(ctx: RequestContext, ownerId: string): Promise<Shield> {
  await requireModerator(ctx, ownerId, ctx.readDb);
  return shieldOf(await findChannel(ctx.readDb, ownerId));
}

/** Changes what the shield of a channel does, also while it is up. */
export async function changeShieldPreset(
  ctx: RequestContext,
  ownerId: string,
  preset: ShieldPreset,
): Promise<Shield> {
  const by = await requireModerator(ctx, ownerId);
  const saved = await saveShieldPreset(ctx, by, preset);
  if (saved === undefined) return { isUp: false, preset };
  tellRooms(ctx, saved);
  return shieldOf(saved.channel);
}

export async function getAutoModeration(ctx: RequestContext, ownerId: string): Promise<AutoModeration> {
  await requireModerator(ctx, ownerId, ctx.readDb);
  return { ...noAutoModeration, ...(await findChannel(ctx.readDb, ownerId)).auto_moderation };
}

export async function changeAutoModeration(
  ctx: RequestContext,
  ownerId: string,
  levels: AutoModeration,
): Promise<AutoModeration> {
  const by = await requireModerator(ctx, ownerId);
  const saved = await saveAutoModeration(ctx, by, levels);
  if (saved !== undefined) tellRooms(ctx, saved);
  return levels;
}

/** @throws chat.too_many_terms */
export async function addTerm(
  ctx: RequestContext,
  ownerId: string,
  term: { readonly kind: TermKind; readonly term: string },
): Promise<TermRow> {
  const by = await requireModerator(ctx, ownerId);
  const added = await insertTerm(ctx, by, term);
  if (added.term === undefined) throw tooManyTerms();
  if (added.change !== undefined) tellRooms(ctx, added.change);
  return added.term;
}

/** @throws chat.no_such_term */
export async function removeTerm(ctx: RequestContext, ownerId: string, id: string): Promise<void> {
  const by = await requireModerator(ctx, ownerId);
  const change = await deleteTerm(ctx, by, id);
  if (change === undefined) throw noSuchTerm();
  tellRooms(ctx, change);
}

export async function readTerms(
  ctx: RequestContext,
  ownerId: string,
  page: { readonly kind: TermKind; readonly before: string | undefined; readonly limit: number },
): Promise<TermRow[]> {
  await requireModerator(ctx, ownerId, ctx.readDb);
  return listTerms(ctx.readDb, { ownerId, ...page });
}

/** What was done in a channel to keep order, newest first. */
export async function readActions(
  ctx: RequestContext,
  ownerId: string,
  page: {
    readonly kind: string | undefined;
    readonly targetId: string | undefined;
    readonly before: string | undefined;
    readonly limit: number;
  },
): Promise<ActionRow[]> {
  await requireModerator(ctx, ownerId, ctx.readDb);
  return listActions(ctx.readDb, { ownerId, ...page });
}
