import type { RequestContext } from '../../../context.ts';
import { decodeCursor, nextCursor } from '../../../http/pagination.ts';
import { requireViewerId, viewerIdOf } from '../../../http/viewer.ts';
import { createCache } from '../../../shared/cache/index.ts';
import { utf8 } from '../../../shared/encoding.ts';
import { streamNotFound } from '../../streams/index.ts';
import { videoNotFound } from '../../videos/index.ts';
import { type ExportFormat, exportHead, exportLines } from '../policy/export-lines.ts';
import { type ArchivedRow, listArchive, listReplay, type ReplayPosition } from '../replay.repository.ts';
import { type ReplayView, replayPositionSchema, replaySchema } from '../replay.schemas.ts';

/** How long a copy of a window may show what was taken away since. */
export const replaySeconds = 30;

// Windows that everybody may see, of a film that goes round: the same for all who are not signed in.
const publicWindows = createCache<ReplayView>({
  name: 'chat-replay.v1',
  schema: replaySchema,
  ttlSeconds: replaySeconds,
  negativeTtlSeconds: 2,
  maxEntries: 50,
});

export interface ReplayInput {
  readonly from_ms: number;
  readonly to_ms: number;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Whether a copy for everybody will do. */
export const isShared = (ctx: RequestContext): boolean =>
  ctx.actor.kind === 'anonymous' && ctx.readDb === ctx.databases.replica;

/**
 * What was said while a stretch of a video was recorded, as a page.
 * @throws videos.not_found, request.invalid_cursor.
 */
export async function replayChat(
  ctx: RequestContext,
  videoId: string,
  input: ReplayInput,
): Promise<ReplayView> {
  const { from_ms: fromMs, to_ms: toMs, limit, cursor } = input;
  const { cursorSecret } = ctx.config.http;
  const scope = { list: 'chat:replay', filters: { videoId, fromMs, toMs } };
  const after = await decodeCursor(cursorSecret, cursor, scope, replayPositionSchema);
  const load = async (): Promise<ReplayView | undefined> => {
    const window = { fromMs, toMs, after, limit: limit + 1 };
    const found = await listReplay(ctx.readDb, videoId, viewerIdOf(ctx), window);
    if (found === undefined) return undefined;
    const { isRecording, rows } = found;
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return {
      is_recording: isRecording,
      events: shown.map(({ offsetMs, seq, event }) => ({ offset_ms: offsetMs, seq, event })),
      next_cursor: await nextCursor(cursorSecret, scope, last && { atUs: last.atUs, seq: last.seq }),
    };
  };
  const key = [videoId, fromMs, toMs, limit, after?.atUs, after?.seq].join(':');
  const view = await (isShared(ctx) ? publicWindows.get(ctx, key, load) : load());
  if (view === undefined) throw videoNotFound();
  return view;
}

const exportRows = 5_000;

/**
 * All that is kept of the room of a stream of the caller's, up to now, read page by page as fast as the client takes it.
 * @throws streams.not_found
 */
export async function exportChat(
  ctx: RequestContext,
  streamId: string,
  format: ExportFormat,
): Promise<ReadableStream<Uint8Array>> {
  const stream = { id: streamId, ownerId: requireViewerId(ctx) };
  const untilMs = ctx.clock.now();
  const pageAfter = (after: ReplayPosition | undefined): Promise<ArchivedRow[] | undefined> =>
    listArchive(ctx.readDb, stream, { after, untilMs, limit: exportRows });
  // Before the answer begins, so that what cannot be exported is told as such.
  let rows = await pageAfter(undefined);
  if (rows === undefined) throw streamNotFound();
  let head = exportHead(format);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const page = rows ?? [];
      if (head !== '' || page.length > 0) controller.enqueue(utf8(head + exportLines(format, page)));
      head = '';
      if (page.length < exportRows) return controller.close();
      rows = await pageAfter(page.at(-1));
    },
  });
}
