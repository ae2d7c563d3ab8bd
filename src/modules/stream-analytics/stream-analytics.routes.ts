import { decodeCursor, nextCursor, page, pageQuery } from '../../http/pagination.ts';
import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { csvOf } from '../analytics/index.ts';
import { streamParams } from '../streams/index.ts';
import {
  streamAnalyticsSchema,
  streamSummaryPageSchema,
  streamSummaryPositionSchema,
} from './stream-analytics.schemas.ts';
import { listAnalytics, viewAnalytics } from './stream-analytics.usecases.ts';
import { presentMinutes, presentStreamAnalytics, presentSummary } from './stream-analytics.views.ts';

const tags = ['Analytics'];

/** Mounted at `/v1`. */
export const streamAnalyticsRoutes = createRouter();

streamAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/analytics',
    request: { params: streamParams },
    responses: {
      200: jsonResponse(streamAnalyticsSchema, 'How the stream goes, or went'),
      ...problems(401, 404),
    },
    summary: 'See how a stream of your own goes, or went',
    description:
      'While it goes on, as of a few seconds ago; after its end, its summary. docs/analytics.md defines every number.',
    operationId: 'getStreamAnalytics',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { found, live } = await viewAnalytics(ctx, c.req.valid('param').stream_id);
    const { cdnBaseUrl } = ctx.config.aws;
    return c.json(presentStreamAnalytics(found, live, { nowMs: ctx.clock.now(), cdnBaseUrl }), 200);
  },
);

streamAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/streams/{stream_id}/analytics/minutes.csv',
    request: { params: streamParams },
    responses: {
      200: {
        description: 'RFC 4180, one line for each minute',
        content: { 'text/csv': { schema: { type: 'string' } } },
      },
      ...problems(401, 404),
    },
    summary: 'Download the minutes of a stream as CSV',
    operationId: 'exportStreamAnalytics',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { stream_id: streamId } = c.req.valid('param');
    const { found, live } = await viewAnalytics(ctx, streamId);
    const view = presentStreamAnalytics(found, live, {
      nowMs: ctx.clock.now(),
      cdnBaseUrl: ctx.config.aws.cdnBaseUrl,
    });
    return c.body(csvOf(presentMinutes(view)), 200, {
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': `attachment; filename="social-flow-stream_${view.stream_id}.csv"`,
    });
  },
);

streamAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/me/analytics/streams',
    request: { query: pageQuery },
    responses: {
      200: jsonResponse(streamSummaryPageSchema, 'How my streams went, newest first'),
      ...problems(400, 401),
    },
    summary: 'See how the streams of your own went',
    description: 'As of a minute ago.',
    operationId: 'listStreamAnalytics',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { limit, cursor } = c.req.valid('query');
    const { cursorSecret } = ctx.config.http;
    const scope = { list: 'stream-analytics:mine', filters: {} };
    const before = await decodeCursor(cursorSecret, cursor, scope, streamSummaryPositionSchema);
    const { items, nextPosition } = page(
      await listAnalytics(ctx, { before, limit: limit + 1 }),
      limit,
      ({ id }) => id,
    );
    return c.json(
      { data: items.map(presentSummary), next_cursor: await nextCursor(cursorSecret, scope, nextPosition) },
      200,
    );
  },
);
