import { roomName } from '../../../durable-objects/chat-room/protocol.ts';
import type { TallyReport } from '../../../durable-objects/chat-room/tally-protocol.ts';
import type { RequestContext } from '../../context.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { callDurableObject } from '../../shared/durable-object-call.ts';
import { streamNotFound } from '../streams/index.ts';
import {
  type FullAnalyticsRow,
  findAnalytics,
  listAnalytics as listRows,
  type StreamAnalyticsRow,
} from './stream-analytics.repository.ts';

/**
 * How a stream of the caller's goes, or went.
 * @throws streams.not_found for streams of others.
 */
export async function viewAnalytics(
  ctx: RequestContext,
  streamId: string,
): Promise<{ readonly found: FullAnalyticsRow; readonly live: TallyReport | undefined }> {
  const found = await findAnalytics(ctx.readDb, streamId, requireViewerId(ctx));
  if (found === undefined) throw streamNotFound();
  // A room whose stream is over has told everything.
  const isOver = (found.tally?.summarisedAtMs ?? null) !== null;
  return { found, live: isOver ? undefined : await askRoom(ctx, streamId) };
}

/** How streams of the caller's went, newest first. */
export const listAnalytics = (
  ctx: RequestContext,
  page: { readonly before: string | undefined; readonly limit: number },
): Promise<StreamAnalyticsRow[]> => listRows(ctx.readDb, { ownerId: requireViewerId(ctx), ...page });

/** What the room has not told the database yet. One that does not answer has told it all but the last minute. */
async function askRoom(ctx: RequestContext, streamId: string): Promise<TallyReport | undefined> {
  try {
    return await callDurableObject(ctx.bindings.CHAT_ROOM, roomName(streamId), (room) => room.tally());
  } catch (error) {
    ctx.log.log('warn', 'stream_analytics.room_not_asked', {
      error_name: error instanceof Error ? error.name : 'unknown',
    });
    return undefined;
  }
}
