import { roomName } from '../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../context.ts';
import { requireViewerId, viewerIdOf } from '../../http/viewer.ts';
import { sendDirectly } from '../../jobs/publish.ts';
import { callDurableObject } from '../../shared/durable-object-call.ts';
import { userNotFound } from '../users/index.ts';
import { scheduledInThePast, streamBegun, streamNotFound, tooManyStreams } from './streams.errors.ts';
import {
  cancelStream as cancelRow,
  findStream,
  insertStream,
  listLiveStreams as listLiveRows,
  listStreams as listRows,
  type NewStream,
  updateStream as updateRow,
} from './streams.repository.ts';
import type { StreamChanges } from './streams.schemas.ts';
import type { StreamRow } from './streams.views.ts';

/**
 * Announces a stream of the caller's. Its chat room is open from now on.
 * @throws streams.scheduled_in_the_past, streams.too_many.
 */
export async function createStream(
  ctx: RequestContext,
  input: Omit<NewStream, 'id' | 'ownerId'>,
): Promise<StreamRow> {
  assertToCome(ctx, input.scheduledAt);
  const ownerId = requireViewerId(ctx);
  const stream = await insertStream(ctx.databases.primary, { ...input, id: ctx.ids.next(), ownerId });
  if (stream === undefined) throw tooManyStreams();
  return stream;
}

/**
 * A stream the caller may see.
 * @throws streams.not_found
 */
export async function getStream(ctx: RequestContext, id: string): Promise<StreamRow> {
  const stream = await findStream(ctx.readDb, id, viewerIdOf(ctx));
  if (stream === undefined) throw streamNotFound();
  return stream;
}

/**
 * Streams of a channel, newest first.
 * @throws users.not_found
 */
export async function listStreams(
  ctx: RequestContext,
  ownerId: string,
  page: { readonly before: string | undefined; readonly limit: number },
): Promise<StreamRow[]> {
  const rows = await listRows(ctx.readDb, { ...page, ownerId, viewerId: viewerIdOf(ctx) });
  if (rows === undefined) throw userNotFound();
  return rows;
}

/** Public streams that are live, the most watched first. */
export const listLiveStreams = (
  ctx: RequestContext,
  page: Pick<Parameters<typeof listLiveRows>[1], 'after' | 'limit'>,
): Promise<StreamRow[]> => listLiveRows(ctx.readDb, { ...page, viewerId: viewerIdOf(ctx) });

/**
 * Changes a stream of the caller's.
 * @throws streams.not_found, streams.scheduled_in_the_past.
 */
export async function updateStream(
  ctx: RequestContext,
  id: string,
  changes: StreamChanges,
): Promise<StreamRow> {
  assertToCome(ctx, changes.scheduled_at ?? null);
  const stream = await updateRow(ctx.databases.primary, id, requireViewerId(ctx), changes);
  if (stream === undefined) throw streamNotFound();
  if (changes.visibility !== undefined)
    tellAccessChanged(ctx, { ownerId: requireViewerId(ctx), viewerId: null });
  return stream;
}

/**
 * Has the playback ended of whoever may not see a stream any more, after the response. Should that get lost, the job that looks
 * for such viewers finds them.
 */
export function tellAccessChanged(
  ctx: RequestContext,
  { ownerId, viewerId }: { readonly ownerId: string | null; readonly viewerId: string | null },
): void {
  ctx.background(async () => {
    try {
      await sendDirectly(ctx, 'stream.access_changed', [{ owner_id: ownerId, viewer_id: viewerId }], {
        delaySeconds: 0,
      });
    } catch (error) {
      ctx.log.log('warn', 'streams.access_change_untold', {
        error_name: error instanceof Error ? error.name : 'unknown',
      });
    }
  });
}

/**
 * Cancels a stream of the caller's that has not begun: nobody else finds it any more, and its room closes. A room that could not
 * be told does so to each who writes there as soon as it asks the database about them again.
 * @throws streams.not_found, streams.begun.
 */
export async function cancelStream(ctx: RequestContext, id: string): Promise<void> {
  const outcome = await cancelRow(ctx.databases.primary, id, requireViewerId(ctx));
  if (outcome === undefined) throw streamNotFound();
  if (outcome === 'begun') throw streamBegun();
  try {
    await callDurableObject(ctx.bindings.CHAT_ROOM, roomName(id), (room) => room.close());
  } catch (error) {
    ctx.log.log('warn', 'streams.room_not_closed', {
      error_name: error instanceof Error ? error.name : 'unknown',
    });
  }
}

function assertToCome(ctx: RequestContext, scheduledAt: string | null): void {
  if (scheduledAt !== null && Date.parse(scheduledAt) <= ctx.clock.now()) throw scheduledInThePast();
}
