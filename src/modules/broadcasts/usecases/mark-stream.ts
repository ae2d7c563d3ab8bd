import type { RequestContext } from '../../../context.ts';
import { invalidRequest } from '../../../http/errors.ts';
import { requireViewerId } from '../../../http/viewer.ts';
import { streamNotFound, streamNotLive } from '../../streams/index.ts';
import { tooManyMarkers } from '../broadcasts.errors.ts';
import { insertMarker, listMarkers, type MarkerRow } from '../markers.repository.ts';

/**
 * Gives a moment of a live stream a name, for the chapters of its video. Owners and their moderators may.
 * @throws streams.not_found, streams.not_live, streams.too_many_markers, request.invalid for a moment outside of it.
 */
export async function markStream(
  ctx: RequestContext,
  streamId: string,
  marker: { readonly title: string; readonly at: string | undefined },
): Promise<MarkerRow> {
  const made = await insertMarker(ctx.databases.primary, {
    title: marker.title,
    atMs: marker.at === undefined ? undefined : Date.parse(marker.at),
    id: ctx.ids.next(),
    streamId,
    authorId: requireViewerId(ctx),
  });
  if (made === undefined) throw streamNotFound();
  if (made === 'not_live') throw streamNotLive();
  if (made === 'too_many') throw tooManyMarkers();
  if (made === 'outside')
    throw invalidRequest({
      errors: [
        { pointer: '/at', code: 'outside', message: 'must lie between the start of the stream and now' },
      ],
    });
  return made;
}

/** @throws streams.not_found */
export async function getMarkers(ctx: RequestContext, streamId: string): Promise<MarkerRow[]> {
  const markers = await listMarkers(ctx.readDb, streamId, requireViewerId(ctx));
  if (markers === undefined) throw streamNotFound();
  return markers;
}
