import { z } from '@hono/zod-openapi';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  jwksSchema,
  loginBody,
  refreshBody,
  registerBody,
  signedInSchema,
  tokensSchema,
} from './auth.schemas.ts';
import { presentMfaRequired, presentSignedIn, presentTokens } from './auth.views.ts';
import { mfaRequiredSchema } from './reauthentication.schemas.ts';
import { publicKeySet } from './usecases/access-tokens.ts';
import { login } from './usecases/login.ts';
import { logout } from './usecases/logout.ts';
import { refresh } from './usecases/refresh.ts';
import { register } from './usecases/register.ts';

const tags = ['Authentication'];

/** Mounted at `/v1/auth`. None takes an Idempotency-Key: a kept answer would be a store of live tokens. */
export const authRoutes = createRouter();

authRoutes.openapi(
  defineRoute(
    { access: { kind: 'public' }, limit: 'auth' },
    {
      method: 'post',
      path: '/register',
      request: jsonBody(registerBody),
      responses: {
        201: jsonResponse(signedInSchema, 'Registered and signed in'),
        ...problems(400, 409, 422),
      },
      summary: 'Register',
      description: 'The username is public and unique. The answer tells nothing about the e-mail address.',
      operationId: 'register',
      tags,
    },
  ),
  async (c) => {
    const { ctx } = c.var;
    const { username, email, password, display_name } = c.req.valid('json');
    const signedIn = await register(ctx, { username, email, password, displayName: display_name });
    return c.json(presentSignedIn(signedIn, ctx.config.aws.cdnBaseUrl), 201);
  },
);

authRoutes.openapi(
  defineRoute(
    { access: { kind: 'public' }, limit: 'auth' },
    {
      method: 'post',
      path: '/login',
      request: jsonBody(loginBody),
      responses: {
        200: jsonResponse(
          z.union([signedInSchema, mfaRequiredSchema]),
          'Signed in, or a second factor is owed: see `mfa_required`',
        ),
        ...problems(400, 401, 403, 422),
      },
      summary: 'Log in with a password',
      operationId: 'login',
      tags,
    },
  ),
  async (c) => {
    const { ctx } = c.var;
    const result = await login(ctx, c.req.valid('json'));
    if (result.kind === 'mfa_required') return c.json(presentMfaRequired(result), 200);
    return c.json(presentSignedIn(result, ctx.config.aws.cdnBaseUrl), 200);
  },
);

authRoutes.openapi(
  defineRoute(
    { access: { kind: 'public' }, limit: 'refresh' },
    {
      method: 'post',
      path: '/refresh',
      request: jsonBody(refreshBody),
      responses: {
        200: jsonResponse(tokensSchema, 'The next pair of tokens'),
        ...problems(400, 401, 409, 422),
      },
      summary: 'Exchange a refresh token',
      description:
        'Each refresh token works once. Showing one again ends its session, but within 10 seconds of the exchange it is taken for a race of the client with itself and answered with 409 `auth.refresh_conflict`.',
      operationId: 'refresh',
      tags,
    },
  ),
  async (c) => c.json(presentTokens(await refresh(c.var.ctx, c.req.valid('json').refresh_token)), 200),
);

authRoutes.openapi(
  defineRoute(
    { access: { kind: 'user' }, limit: 'write' },
    {
      method: 'post',
      path: '/logout',
      responses: { 204: { description: 'The session is ended' }, ...problems(401) },
      summary: 'Log out',
      description: 'Ends the session of this access token; its refresh tokens stop working at once.',
      operationId: 'logout',
      tags,
    },
  ),
  async (c) => {
    await logout(c.var.ctx);
    return c.body(null, 204);
  },
);

/** Mounted at the root. */
export const wellKnownRoutes = createRouter();

wellKnownRoutes.openapi(
  defineRoute(
    { access: { kind: 'public' }, limit: 'read' },
    {
      method: 'get',
      path: '/.well-known/jwks.json',
      responses: { 200: jsonResponse(jwksSchema, 'Public keys of access tokens'), ...problems() },
      summary: 'Get the keys that verify access tokens',
      operationId: 'getJwks',
      tags,
    },
  ),
  async (c) => {
    c.header('cache-control', 'public, max-age=300');
    return c.json({ keys: [...publicKeySet(c.var.ctx.config.auth).keys] }, 200);
  },
);
