import { roomName, type VoteResult } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { streamNotFound } from '../../streams/index.ts';
import { bannedFromChat, noSuchChoice, noSuchPoll, votedAlready } from '../chat.errors.ts';
import { findChatter } from '../chat.repository.ts';

const refusals: Readonly<Record<Exclude<VoteResult, 'counted'>, () => Error>> = {
  already: votedAlready,
  banned: bannedFromChat,
  no_choice: noSuchChoice,
  no_poll: noSuchPoll,
};

/**
 * Votes in the poll of a room, once. No database trip where the room knows the person.
 * @throws streams.not_found, chat.voted_already, chat.banned, chat.no_such_choice, chat.no_such_poll.
 */
export async function voteInRoom(
  ctx: RequestContext,
  streamId: string,
  vote: { readonly pollId: string; readonly choice: number },
): Promise<void> {
  const userId = requireViewerId(ctx);
  const name = roomName(streamId);
  let result = await callDurableObject(ctx.bindings.CHAT_ROOM, name, (room) => room.vote(userId, vote));
  if (typeof result === 'object') {
    const found = await findChatter(ctx.databases.primary, streamId, userId);
    if (found?.facts === undefined) throw streamNotFound();
    const stated = { room: found.room, facts: found.facts };
    result = await callDurableObject(ctx.bindings.CHAT_ROOM, name, (room) => room.vote(userId, vote, stated));
  }
  if (typeof result === 'object') throw streamNotFound();
  if (result !== 'counted') throw refusals[result]();
}
