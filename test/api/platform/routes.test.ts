import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { type RouteRules, ruleSymbol } from '../../../src/http/route.ts';
import { encodeId, type IdKind, randomIds } from '../../../src/shared/ids.ts';
import { call } from '../../support/worker/client.ts';

// Who may call what without an access token. Anything else must answer 401; a new public route is a decision made here.
const open = [
  'GET /.well-known/jwks.json',
  'GET /docs',
  'GET /docs/{file}',
  'GET /livez',
  'GET /openapi.json',
  'GET /readyz',
  'GET /v1/posts/{post_id}',
  'GET /v1/users/{user_id}',
  'GET /v1/users/{user_id}/followers',
  'GET /v1/users/{user_id}/following',
  'GET /v1/users/{user_id}/posts',
  'GET /v1/users/{user_id}/videos',
  'GET /v1/videos/{video_id}',
  'POST /v1/auth/login',
  'POST /v1/auth/refresh',
  'POST /v1/auth/register',
];
const provenOtherwise = ['POST /v1/webhooks/aws'];

const app = createApp();
const declared = app.openAPIRegistry.definitions.flatMap((definition) =>
  definition.type === 'route' ? [definition.route] : [],
);
const nameOf = (route: { method: string; path: string }): string =>
  `${route.method.toUpperCase()} ${route.path}`;
const honoPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1').replace(/(.)\/$/, '$1');

const idKinds: Record<string, IdKind> = {
  user_id: 'user',
  post_id: 'post',
  video_id: 'video',
  upload_id: 'upload',
};
const realistic = (path: string): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    idKinds[name] === undefined ? 'index.html' : encodeId(idKinds[name], randomIds.next()),
  );

describe('every route', () => {
  it('is declared with rules: nothing reaches a handler around them', () => {
    const known = new Set(declared.map((route) => `${route.method.toUpperCase()} ${honoPath(route.path)}`));
    const undeclared = app.routes
      .filter((route) => route.method !== 'ALL')
      .map((route) => `${route.method} ${route.path.replace(/(.)\/$/, '$1')}`)
      .filter((name) => !known.has(name));
    expect([...new Set(undeclared)]).toEqual([]);

    const ruled = new Set(
      app.routes.flatMap((route) =>
        (route.handler as { [ruleSymbol]?: RouteRules })[ruleSymbol]
          ? [`${route.method} ${route.path.replace(/(.)\/$/, '$1')}`]
          : [],
      ),
    );
    if (ruled.size > 0) expect([...known].filter((name) => !ruled.has(name))).toEqual([]);
  });

  it('has an operation id, a summary and a tag, once', () => {
    const visible = declared.filter((route) => !('hide' in route && route.hide));
    for (const route of visible) {
      expect(route.operationId, nameOf(route)).toMatch(/^[a-z][A-Za-z]+$/);
      expect(route.summary, nameOf(route)).toBeTruthy();
      expect(route.tags, nameOf(route)).toHaveLength(1);
    }
    const ids = visible.map((route) => route.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(declared.map((route) => [nameOf(route), route] as const))(
    '%s refuses strangers unless it is written as open',
    async (name, route) => {
      const response = await call(
        route.method.toUpperCase(),
        realistic(route.path),
        route.method === 'get' ? {} : { body: {} },
      );
      if (open.includes(name)) expect(response.status).not.toBe(401);
      else expect(response.status, await response.clone().text()).toBe(401);
      expect(response.status).toBeLessThan(500);
    },
  );

  it.each(declared.map((route) => [nameOf(route), route] as const))(
    '%s refuses a token that is not ours',
    async (name, route) => {
      const response = await call(route.method.toUpperCase(), realistic(route.path), {
        token: 'not.a.token',
        ...(route.method === 'get' ? {} : { body: {} }),
      });
      if (!open.includes(name) || route.security?.some((scheme) => 'bearer' in scheme) === true)
        expect(response.status).toBe(401);
    },
  );

  it('is in the list only if it exists', () => {
    const names = declared.map(nameOf);
    expect([...open, ...provenOtherwise].filter((name) => !names.includes(name))).toEqual([]);
  });
});
