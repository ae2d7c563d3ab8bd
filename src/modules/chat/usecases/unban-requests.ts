import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { encodeId } from '../../../shared/ids.ts';
import { pushToUser } from '../../realtime/index.ts';
import { userNotFound } from '../../users/index.ts';
import { askedAlready, noSuchUnbanRequest, notBanned, nothingToModerate } from '../chat.errors.ts';
import { findRole } from '../chat.repository.ts';
import { findStanding, type StandingRow } from '../standing.repository.ts';
import {
  decideUnbanRequest as decideRow,
  findUnbanRequest,
  hasUnbanRequest,
  insertUnbanRequest,
  listUnbanRequests as listRows,
  type UnbanRequestRow,
  type UnbanState,
} from '../unban-requests.repository.ts';
import { requireModerator } from './channel-access.ts';
import { tellRooms } from './tell-rooms.ts';

/**
 * Asks a channel to lift the caller's ban, once for each.
 * @throws users.not_found, chat.not_banned, chat.asked_already.
 */
export async function askToBeUnbanned(
  ctx: RequestContext,
  ownerId: string,
  text: string,
): Promise<UnbanRequestRow> {
  const userId = requireViewerId(ctx);
  if ((await findRole(ctx.databases.primary, ownerId, ownerId)) === undefined) throw userNotFound();
  const request = await insertUnbanRequest(ctx, ownerId, userId, text);
  if (request === 'not_banned') throw notBanned();
  if (request === 'asked') throw askedAlready();
  return request;
}

/**
 * What people asked in a channel, newest first.
 * @throws users.not_found, chat.not_moderator.
 */
export async function listUnbanRequests(
  ctx: RequestContext,
  ownerId: string,
  page: { readonly state: UnbanState; readonly before: string | undefined; readonly limit: number },
) {
  await requireModerator(ctx, ownerId, ctx.readDb);
  return listRows(ctx.readDb, { ownerId, ...page });
}

/**
 * Answers somebody who asked. Approved, they may write again in every room.
 * @throws users.not_found, chat.not_moderator, chat.no_such_unban_request, chat.nothing_to_do.
 */
export async function decideUnbanRequest(
  ctx: RequestContext,
  ownerId: string,
  decision: { readonly id: string; readonly state: 'approved' | 'denied'; readonly note: string },
): Promise<void> {
  const by = await requireModerator(ctx, ownerId);
  const change = await decideRow(ctx, by, decision);
  if (change === undefined) {
    if (!(await hasUnbanRequest(ctx.databases.primary, ownerId, decision.id))) throw noSuchUnbanRequest();
    throw nothingToModerate();
  }
  tellRooms(ctx, change);
  const { id, state, note } = decision;
  const data = {
    channel_id: encodeId('user', ownerId),
    request_id: encodeId('unbanRequest', id),
    state,
    note,
  };
  ctx.background(() => pushToUser(ctx, change.userId, { id, type: 'chat.unban_request_decided', data }));
}

/**
 * What the caller may do in the chat of a channel, and what they last asked there.
 * @throws users.not_found
 */
export async function getChatStanding(
  ctx: RequestContext,
  ownerId: string,
): Promise<StandingRow & { readonly request: UnbanRequestRow | undefined }> {
  const userId = requireViewerId(ctx);
  const [standing, request] = await Promise.all([
    findStanding(ctx.readDb, ownerId, userId),
    findUnbanRequest(ctx.readDb, ownerId, userId),
  ]);
  if (standing === undefined) throw userNotFound();
  return { ...standing, request };
}
