import { type LogRun, roomName } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import { viewerIdOf } from '../../../http/viewer.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import { streamNotFound } from '../../streams/index.ts';
import { afterIsGone } from '../chat.errors.ts';
import { findChatter } from '../chat.repository.ts';

/**
 * What was said in a room and how many look on, for clients without a WebSocket.
 * @throws streams.not_found; chat.resync when what came after `after` is forgotten.
 */
export async function readRoom(
  ctx: RequestContext,
  streamId: string,
  { after, limit }: { readonly after: number | undefined; readonly limit: number },
): Promise<LogRun & { readonly viewers: number }> {
  const found = await findChatter(ctx.readDb, streamId, viewerIdOf(ctx));
  if (found === undefined) throw streamNotFound();
  const role = found.facts?.role;
  const keepsOrder = role === 'owner' || role === 'moderator';
  const run = await callDurableObject(ctx.bindings.CHAT_ROOM, roomName(streamId), (room) =>
    room.glance(after, limit, keepsOrder),
  );
  if (run.after === -1) throw afterIsGone();
  return run;
}
