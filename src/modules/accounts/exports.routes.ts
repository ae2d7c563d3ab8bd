import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { requireSession } from '../../http/viewer.ts';
import { encodeId } from '../../shared/ids.ts';
import { type ExportRow, listExports } from './exports.repository.ts';
import {
  type DataExport,
  exportPage,
  exportParams,
  exportPositionSchema,
  exportSchema,
} from './exports.schemas.ts';
import { type Download, getMyExport, requestMyExport } from './usecases/request-export.ts';

const tags = ['Account'];

const presentExport = (row: ExportRow, download: Download | undefined): DataExport => ({
  id: encodeId('dataExport', row.id),
  state: row.state,
  progress_percent: row.progressPercent,
  requested_at: row.requestedAt,
  finished_at: row.finishedAt,
  expires_at: row.expiresAt,
  size_bytes: row.sizeBytes,
  failure: row.state === 'failed' ? row.failureCode : null,
  download: download === undefined ? null : { url: download.url, expires_at: download.expiresAt },
});

/** Mounted at `/v1/me/exports`. */
export const exportsRoutes = createRouter();

exportsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    responses: {
      202: jsonResponse(exportSchema, 'The export is being made'),
      ...problems(400, 401, 409),
    },
    summary: 'Ask for a copy of my data',
    description:
      'A ZIP archive of everything kept about the caller, as JSON lines. One at a time. A notice tells when it is ready; it can then be downloaded for seven days.',
    operationId: 'requestExport',
    tags,
  }),
  async (c) => c.json(presentExport(await requestMyExport(c.var.ctx), undefined), 202),
);

exportsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    request: { query: pageQuery },
    responses: { 200: jsonResponse(exportPage, 'The exports that have not expired'), ...problems(400, 401) },
    summary: 'List the exports of my data',
    description: 'Latest first. `download` is null here: get the export for a link.',
    operationId: 'listExports',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { userId } = requireSession(ctx);
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'me:exports', userId };
    const before = (await decodeCursor(cursorSecret, cursor, scope, exportPositionSchema))?.id;
    const now = new Date(ctx.clock.now()).toISOString();
    const rows = await listExports(ctx.databases.primary, userId, { limit: limit + 1, before, now });
    const { items, nextPosition } = page(rows, limit, ({ id }) => ({ id }));
    c.header('cache-control', 'no-store');
    return c.json(
      {
        data: items.map((row) => presentExport(row, undefined)),
        next_cursor: await nextCursor(cursorSecret, scope, nextPosition),
      },
      200,
    );
  },
);

exportsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{export_id}',
    request: { params: exportParams },
    responses: { 200: jsonResponse(exportSchema, 'How the export stands'), ...problems(401, 404) },
    summary: 'Get an export of my data',
    description: 'While the export is ready, each answer holds a new link of at most an hour.',
    operationId: 'getExport',
    tags,
  }),
  async (c) => {
    const { row, download } = await getMyExport(c.var.ctx, c.req.valid('param').export_id);
    c.header('cache-control', 'no-store');
    return c.json(presentExport(row, download), 200);
  },
);
