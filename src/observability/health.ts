import { z } from '@hono/zod-openapi';
import { oldestEventAgeSeconds } from '../db/outbox.ts';
import { pingAll } from '../db/ping.ts';
import { createRouter, defineRoute, jsonResponse, problems } from '../http/route.ts';
import { withinDeadline } from '../shared/deadline.ts';

const deadlineMs = 2_000;

const live = z.strictObject({ status: z.literal('ok'), release: z.string() }).openapi('Liveness');

const dependency = z
  .strictObject({
    name: z.string(),
    required: z.boolean(),
    status: z.enum(['up', 'down']),
    consecutive_failures: z.int().optional(),
    oldest_age_seconds: z.number().optional(),
  })
  .openapi('Dependency');

const ready = z
  .strictObject({
    status: z.enum(['ready', 'degraded', 'unavailable']),
    release: z.string(),
    dependencies: z.array(dependency),
  })
  .openapi('Readiness');

export const healthRoutes = createRouter();

healthRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/livez',
    operationId: 'getLiveness',
    summary: 'Whether the Worker runs. Touches nothing else.',
    tags: ['Health'],
    responses: { 200: jsonResponse(live, 'Alive') },
  }),
  (c) => c.json({ status: 'ok' as const, release: c.var.ctx.config.app.release }, 200),
);

healthRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/readyz',
    operationId: 'getReadiness',
    summary: 'Whether each dependency answers within its deadline.',
    tags: ['Health'],
    responses: {
      200: jsonResponse(ready, 'Ready, perhaps degraded'),
      ...problems(),
      503: jsonResponse(ready, 'A required dependency is down'),
    },
  }),
  async (c) => {
    const { ctx } = c.var;
    const databases = await pingAll(ctx.databases, deadlineMs);
    const backlog = await withinDeadline(oldestEventAgeSeconds(ctx.databases.primary), deadlineMs);
    const dependencies: z.infer<typeof dependency>[] = databases.map(({ role, up, consecutiveFailures }) => ({
      name: `database.${role}`,
      required: role === 'primary',
      status: up ? 'up' : 'down',
      consecutive_failures: consecutiveFailures,
    }));
    dependencies.push({
      name: 'outbox',
      required: false,
      status: backlog === undefined ? 'down' : 'up',
      ...(backlog === undefined ? {} : { oldest_age_seconds: Math.round(backlog) }),
    });
    const down = dependencies.filter((entry) => entry.status === 'down');
    const unavailable = down.some((entry) => entry.required);
    const body = {
      status: unavailable
        ? ('unavailable' as const)
        : down.length > 0
          ? ('degraded' as const)
          : ('ready' as const),
      release: ctx.config.app.release,
      dependencies,
    };
    return unavailable ? c.json(body, 503, { 'retry-after': '5' }) : c.json(body, 200);
  },
);
