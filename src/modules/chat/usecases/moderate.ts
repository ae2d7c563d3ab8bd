import {
  type ActResult,
  type ChatRole,
  type ChatterFacts,
  type ModeratorAct,
  type RoomFacts,
  roomName,
} from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { encodeId, uuidTime } from '../../../shared/ids.ts';
import { streamNotFound, tellAccessChanged } from '../../streams/index.ts';
import type { ChannelChange } from '../actions.repository.ts';
import { findArchivedMessage } from '../archive.repository.ts';
import { aboveModerators, messageTooOld, nothingToModerate, notModerator } from '../chat.errors.ts';
import { findChatter } from '../chat.repository.ts';
import type { ModerateInput } from '../chat.schemas.ts';
import { settingsInForce } from '../policy/rules.ts';
import { saveSettings, saveShield } from '../settings.repository.ts';
import { type By, deleteBan, insertBan, insertWarning } from '../standing.repository.ts';
import { assertBelow } from './channel-access.ts';
import { tellRooms } from './tell-rooms.ts';

/** Twitch's rule: what is older stands in replays and is for its author and the platform. */
const deletableMs = 6 * 3_600_000;

/** Who moderates, and in which room. */
interface Moderator extends By {
  readonly room: RoomFacts;
  readonly facts: ChatterFacts;
  readonly role: ChatRole;
}

/**
 * Does what a moderator of the channel asks for. What holds for the channel is in the database first, and told to its open rooms.
 * @throws streams.not_found, chat.not_moderator, chat.not_against_them, chat.nothing_to_do, chat.message_too_old, users.not_found.
 */
export async function moderateRoom(
  ctx: RequestContext,
  streamId: string,
  input: ModerateInput,
): Promise<void> {
  const actorId = requireViewerId(ctx);
  const found = await findChatter(ctx.databases.primary, streamId, actorId);
  if (found === undefined) throw streamNotFound();
  const { room, facts } = found;
  if (facts === undefined || (facts.role !== 'owner' && facts.role !== 'moderator')) throw notModerator();
  const by = { room, facts, role: facts.role, actorId, ownerId: room.ownerId };
  const results: Readonly<Record<ActResult, () => void>> = {
    done: () => undefined,
    nothing: () => {
      throw nothingToModerate();
    },
    above: () => {
      throw aboveModerators();
    },
  };
  results[await carryOut(ctx, by, input)]();
}

async function carryOut(ctx: RequestContext, by: Moderator, input: ModerateInput): Promise<ActResult> {
  if (input.action === 'shield') return raiseShield(ctx, by, input.up);
  const inRoom = roomAct(ctx, by, input);
  if (inRoom !== undefined) {
    const result = await actInRoom(ctx, by, inRoom);
    return input.action === 'delete' && result === 'nothing'
      ? deleteArchived(ctx, by, input.message_id)
      : result;
  }
  const decided = await decide(ctx, by, input);
  if (decided === undefined) return 'nothing';
  // At once in this room, whose clients see it come; the others look.
  const result = await actInRoom(ctx, by, decided.act);
  tellRooms(ctx, decided.change);
  return result;
}

const actInRoom = (ctx: RequestContext, by: Moderator, act: ModeratorAct): Promise<ActResult> =>
  callDurableObject(ctx.bindings.CHAT_ROOM, roomName(by.room.streamId), (room) =>
    room.act(by.room, act, by.facts),
  );

/** Deletes a message that the room has forgotten: the event says so to those who show it, and to the archive. */
async function deleteArchived(ctx: RequestContext, by: Moderator, messageId: string): Promise<ActResult> {
  const message = await findArchivedMessage(ctx.databases.primary, by.room.streamId, messageId);
  if (message === undefined) return 'nothing';
  const { authorId, role } = message;
  if (by.role === 'moderator' && authorId !== by.actorId && (role === 'owner' || role === 'moderator'))
    return 'above';
  const publicId = encodeId('chatMessage', messageId);
  return actInRoom(ctx, by, { kind: 'delete archived', messageId: publicId, authorId });
}

/** An act that concerns this room alone; undefined for the others. */
function roomAct(ctx: RequestContext, by: Moderator, input: ModerateInput): ModeratorAct | undefined {
  switch (input.action) {
    case 'delete':
      if (uuidTime(input.message_id) < ctx.clock.now() - deletableMs) throw messageTooOld();
      return { kind: 'delete', messageId: encodeId('chatMessage', input.message_id) };
    case 'approve':
    case 'deny': {
      const outcome = input.action === 'approve' ? 'approved' : 'denied';
      return { kind: 'judge', messageId: encodeId('chatMessage', input.message_id), outcome };
    }
    case 'clear':
      return { kind: 'clear' };
    case 'announce':
      return { kind: 'announce', userId: by.actorId, text: input.text };
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
    default:
      return undefined;
  }
}

interface Decided {
  readonly change: ChannelChange;
  readonly act: ModeratorAct;
}

/** What holds in the whole channel: kept first, and then an act in this room. Undefined when it is so already. */
async function decide(
  ctx: RequestContext,
  by: Moderator,
  input: ModerateInput,
): Promise<Decided | undefined> {
  const { streamId } = by.room;
  switch (input.action) {
    case 'timeout':
    case 'ban': {
      const { user_id: userId, reason } = input;
      const seconds = input.action === 'ban' ? null : input.seconds;
      await assertBelow(ctx, by, userId);
      const change = await insertBan(ctx, by, { userId, seconds, reason, streamId });
      if (change === undefined) return undefined;
      if (seconds === null) tellAccessChanged(ctx, { ownerId: by.ownerId, viewerId: userId });
      return { change, act: { kind: 'silence', userId, seconds, version: change.version } };
    }
    case 'unban': {
      const change = await deleteBan(ctx, by, input.user_id, streamId);
      return change && { change, act: { kind: 'unban', userId: input.user_id, version: change.version } };
    }
    case 'warn': {
      const { user_id: userId, reason } = input;
      await assertBelow(ctx, by, userId);
      const change = await insertWarning(ctx, by, { userId, reason, streamId });
      return change && { change, act: { kind: 'warn', userId, reason, version: change.version } };
    }
    case 'settings': {
      const { action: _, ...settings } = input;
      const change = await saveSettings(ctx, by, settings, streamId);
      if (change === undefined) return undefined;
      const inForce = settingsInForce(change.channel);
      return { change, act: { kind: 'settings', settings: inForce, version: change.version } };
    }
    default:
      return undefined;
  }
}

/** The shield changes what words are judged by, too: this room looks before the answer. */
async function raiseShield(ctx: RequestContext, by: Moderator, isUp: boolean): Promise<ActResult> {
  const { streamId } = by.room;
  const change = await saveShield(ctx, by, isUp, streamId);
  if (change === undefined) return 'nothing';
  const settings = settingsInForce(change.channel);
  const result = await actInRoom(ctx, by, { kind: 'settings', settings, version: change.version });
  await callDurableObject(ctx.bindings.CHAT_ROOM, roomName(streamId), (room) => room.look(change.version));
  tellRooms(ctx, change);
  return result;
}
