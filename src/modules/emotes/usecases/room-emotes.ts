import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { findStreamOwner, streamNotFound } from '../../streams/index.ts';
import { type ChannelEmote, listChannelEmotes } from '../emotes.repository.ts';

/**
 * Emotes of the channel that may be used in the chat of a stream the caller sees.
 * @throws streams.not_found
 */
export async function emotesOfRoom(ctx: RequestContext, streamId: string): Promise<ChannelEmote[]> {
  const ownerId = await findStreamOwner(ctx.readDb, streamId, viewerIdOf(ctx));
  if (ownerId === undefined) throw streamNotFound();
  return listChannelEmotes(ctx.readDb, ownerId);
}
