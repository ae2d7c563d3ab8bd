import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from '@hono/zod-openapi';
import type { AppEnv } from './env.ts';
import { notFound } from './errors.ts';
import { defineRoute } from './route.ts';

const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The OpenAPI document of the application. */
export function openApiDocument(app: OpenAPIHono<AppEnv>, serverUrl: string) {
  const document = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Social Flow API',
      version: '1.0.0',
      description:
        'Videos, posts and feeds. Errors are RFC 9457 problem+json with a stable `code`. Lists are keyset-paginated: pass `next_cursor` back as `cursor`. ' +
        'Writes accept `Idempotency-Key`; answers carry IETF `RateLimit` headers.',
    },
    servers: [{ url: serverUrl }],
  });
  return document;
}

/** Serves `/openapi.json`, and a reference page at `/docs` whose scripts come from this Worker's own assets. */
export function mountDocs(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'Access token from `POST /v1/auth/login` or `/v1/auth/register`; or an API key (`sfk_...`) on operations with `x-api-key-scope`.',
  });
  app.openAPIRegistry.registerComponent('securitySchemes', 'cookie', {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-sf_access',
    description:
      'For browser apps of the same site: with the header `X-Auth-Mode: cookie` the routes that give tokens set cookies instead. Every request that changes something needs the header, too, and an `Origin` on the list.',
  });
  let cached: string | undefined;

  app.openapi(
    defineRoute({
      method: 'get',
      path: '/openapi.json',
      operationId: 'getOpenApiDocument',
      summary: 'This API as an OpenAPI 3.1 document.',
      tags: ['Documentation'],
      responses: { 200: { description: 'The OpenAPI 3.1 document, as application/json' } },
    }),
    (c) => {
      cached ??= JSON.stringify(openApiDocument(app, c.var.ctx.config.auth.issuer));
      return c.body(cached, 200, {
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'public, max-age=300',
      });
    },
  );

  for (const [path, operationId] of [
    ['/docs', 'readDocs'],
    ['/docs/{file}', 'readDocsFile'],
  ] as const)
    app.openapi(
      defineRoute({
        method: 'get',
        path,
        operationId,
        hide: true,
        request: {
          params: z.object({
            file: z
              .string()
              .regex(/^[a-z-]+\.(js|css|html)$/)
              .optional(),
          }),
        },
        responses: { 200: { description: 'The reference page and its files' } },
      }),
      async (c) => {
        const { file = 'index.html' } = c.req.valid('param');
        const asset = await c.env.ASSETS?.fetch(
          new URL(`/docs/${file === 'index.html' ? '' : file}`, c.req.url),
        );
        if (asset === undefined || asset.status !== 200) throw notFound();
        const headers = new Headers({
          'content-type': asset.headers.get('content-type') ?? 'application/octet-stream',
        });
        headers.set('content-security-policy', pagePolicy);
        headers.set('cache-control', 'public, max-age=3600');
        return new Response(asset.body, { status: 200, headers });
      },
    );
}
