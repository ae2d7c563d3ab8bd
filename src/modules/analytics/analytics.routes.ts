import { createRouter, defineRoute, jsonResponse, problems } from '../../http/route.ts';
import { csvOf, type DayRange } from './analytics.policy.ts';
import {
  analyticsParams,
  analyticsSchema,
  channelAnalyticsSchema,
  rangeQuery,
  realtimeSchema,
  retentionSchema,
} from './analytics.schemas.ts';
import { viewAnalytics, viewRealtime, viewRetention } from './analytics.usecases.ts';
import {
  presentAnalytics,
  presentChannel,
  presentRealtime,
  presentRetention,
  presentTable,
} from './analytics.views.ts';

const tags = ['Analytics'];
const table = {
  description: 'RFC 4180, one line for each day',
  content: { 'text/csv': { schema: { type: 'string' } } },
} as const;

/** Mounted at `/v1/videos`. */
export const videoAnalyticsRoutes = createRouter();

videoAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{video_id}/analytics',
    request: { params: analyticsParams, query: rangeQuery },
    responses: {
      200: jsonResponse(analyticsSchema, 'How the video was watched'),
      ...problems(400, 401, 404),
    },
    summary: 'See how a video of your own was watched',
    description:
      'By UTC day, the last 28 days when no range is given. docs/analytics.md defines every number.',
    operationId: 'getVideoAnalytics',
    tags,
  }),
  async (c) => {
    const { range, watched } = await viewAnalytics(
      c.var.ctx,
      c.req.valid('param').video_id,
      c.req.valid('query'),
    );
    return c.json(presentAnalytics(watched, range), 200);
  },
);

videoAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{video_id}/analytics/days.csv',
    request: { params: analyticsParams, query: rangeQuery },
    responses: { 200: table, ...problems(400, 401, 404) },
    summary: 'Download the days of a video as CSV',
    operationId: 'exportVideoAnalytics',
    tags,
  }),
  async (c) => {
    const { range, watched } = await viewAnalytics(
      c.var.ctx,
      c.req.valid('param').video_id,
      c.req.valid('query'),
    );
    return c.body(csvOf(presentTable(presentAnalytics(watched, range))), 200, csvHeaders('video', range));
  },
);

videoAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{video_id}/analytics/retention',
    request: { params: analyticsParams, query: rangeQuery },
    responses: { 200: jsonResponse(retentionSchema, 'The curve'), ...problems(400, 401, 404) },
    summary: 'See which parts of a video of your own are watched',
    operationId: 'getVideoRetention',
    tags,
  }),
  async (c) => {
    const { range, found } = await viewRetention(
      c.var.ctx,
      c.req.valid('param').video_id,
      c.req.valid('query'),
    );
    return c.json(presentRetention(found, range), 200);
  },
);

videoAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{video_id}/analytics/realtime',
    request: { params: analyticsParams },
    responses: { 200: jsonResponse(realtimeSchema, 'The last hour'), ...problems(401, 404) },
    summary: 'See the last 60 minutes of a video of your own',
    operationId: 'getVideoRealtime',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(
      presentRealtime(await viewRealtime(ctx, c.req.valid('param').video_id), ctx.clock.now()),
      200,
    );
  },
);

/** Mounted at `/v1/me/analytics`. */
export const channelAnalyticsRoutes = createRouter();

channelAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    request: { query: rangeQuery },
    responses: {
      200: jsonResponse(channelAnalyticsSchema, 'How my videos were watched'),
      ...problems(400, 401),
    },
    summary: 'See how all videos of your own were watched',
    operationId: 'getChannelAnalytics',
    tags,
  }),
  async (c) => {
    const { range, watched } = await viewAnalytics(c.var.ctx, undefined, c.req.valid('query'));
    return c.json(presentChannel(watched, range), 200);
  },
);

channelAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/days.csv',
    request: { query: rangeQuery },
    responses: { 200: table, ...problems(400, 401) },
    summary: 'Download the days of all videos of your own as CSV',
    operationId: 'exportChannelAnalytics',
    tags,
  }),
  async (c) => {
    const { range, watched } = await viewAnalytics(c.var.ctx, undefined, c.req.valid('query'));
    return c.body(csvOf(presentTable(presentAnalytics(watched, range))), 200, csvHeaders('channel', range));
  },
);

channelAnalyticsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/realtime',
    responses: { 200: jsonResponse(realtimeSchema, 'The last hour'), ...problems(401) },
    summary: 'See the last 60 minutes of all videos of your own',
    operationId: 'getChannelRealtime',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(presentRealtime(await viewRealtime(ctx, undefined), ctx.clock.now()), 200);
  },
);

const csvHeaders = (name: string, { from, to }: DayRange) => ({
  'content-type': 'text/csv; charset=utf-8; header=present',
  'content-disposition': `attachment; filename="social-flow-${name}_${from}_${to}.csv"`,
});
