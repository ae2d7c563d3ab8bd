import {
  type ModeratorAct,
  type RoomFacts,
  roomName,
} from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { encodeId } from '../../../shared/ids.ts';
import { streamNotFound, tellAccessChanged } from '../../streams/index.ts';
import { userNotFound } from '../../users/index.ts';
import { aboveModerators, nothingToModerate, notModerator } from '../chat.errors.ts';
import { deleteBan, findChatter, findRole, insertBan, saveSettings } from '../chat.repository.ts';
import type { ModerateInput } from '../chat.schemas.ts';

/**
 * Does what a moderator of the channel asks for. Bans are in the database first, and hold in every room of the channel.
 * @throws streams.not_found, chat.not_moderator, chat.not_against_them, chat.nothing_to_do, users.not_found.
 */
export async function moderateRoom(
  ctx: RequestContext,
  streamId: string,
  input: ModerateInput,
): Promise<void> {
  const callerId = requireViewerId(ctx);
  const found = await findChatter(ctx.databases.primary, streamId, callerId);
  if (found === undefined) throw streamNotFound();
  const role = found.facts?.role;
  if (role !== 'owner' && role !== 'moderator') throw notModerator();
  const act = await actOf(ctx, { room: found.room, callerId, isOwner: role === 'owner' }, input);
  const { room, facts } = found;
  const done = await callDurableObject(ctx.bindings.CHAT_ROOM, roomName(streamId), (object) =>
    object.act(room, act, facts),
  );
  if (!done) throw nothingToModerate();
}

interface Moderator {
  readonly room: RoomFacts;
  readonly callerId: string;
  readonly isOwner: boolean;
}

async function actOf(ctx: RequestContext, by: Moderator, input: ModerateInput): Promise<ModeratorAct> {
  switch (input.action) {
    case 'delete':
      return { kind: 'delete', messageId: encodeId('chatMessage', input.message_id) };
    case 'clear':
      return { kind: 'clear' };
    case 'timeout':
      return silence(ctx, by, input.user_id, input.seconds, input.reason);
    case 'ban':
      return silence(ctx, by, input.user_id, null, input.reason);
    case 'unban':
      if (!(await deleteBan(ctx, by.room.ownerId, input.user_id))) throw nothingToModerate();
      return { kind: 'unban', userId: input.user_id };
    case 'announce':
      return { kind: 'announce', userId: by.callerId, text: input.text };
    case 'pin':
      return { kind: 'pin', messageId: encodeId('chatMessage', input.message_id) };
    case 'unpin':
      return { kind: 'unpin' };
    case 'open_poll': {
      const { title, choices, seconds } = input;
      return { kind: 'open poll', title, choices, seconds };
    }
    case 'close_poll':
      return { kind: 'close poll' };
    case 'settings': {
      const { action: _, ...settings } = input;
      await saveSettings(ctx.databases.primary, by.room.ownerId, settings);
      return { kind: 'settings', settings };
    }
  }
}

async function silence(
  ctx: RequestContext,
  { room, callerId, isOwner }: Moderator,
  userId: string,
  seconds: number | null,
  reason: string,
): Promise<ModeratorAct> {
  const role = await findRole(ctx.databases.primary, room.ownerId, userId);
  if (role === undefined) throw userNotFound();
  if (role === 'owner' || userId === callerId || (role === 'moderator' && !isOwner)) throw aboveModerators();
  const ban = { ownerId: room.ownerId, userId, seconds, reason, by: callerId };
  if (!(await insertBan(ctx, ban))) throw nothingToModerate();
  if (seconds === null) tellAccessChanged(ctx, { ownerId: room.ownerId, viewerId: userId });
  return { kind: 'silence', userId, publicId: encodeId('user', userId), seconds };
}
