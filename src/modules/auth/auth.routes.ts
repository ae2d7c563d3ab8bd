import { z } from '@hono/zod-openapi';
import { clearBrowserSession, refreshCookieOf } from '../../http/browser-session.ts';
import { invalidRequest } from '../../http/errors.ts';
import {
  createRouter,
  defineRoute,
  jsonBody,
  jsonResponse,
  optionalJsonBody,
  problems,
} from '../../http/route.ts';
import {
  jwksSchema,
  loginBody,
  refreshBody,
  registerBody,
  sessionListSchema,
  sessionParams,
  signedInSchema,
  tokensSchema,
} from './auth.schemas.ts';
import { handOverSignedIn, handOverTokens, presentMfaRequired, presentSession } from './auth.views.ts';
import { mfaRequiredSchema } from './reauthentication.schemas.ts';
import { publicKeySet } from './usecases/access-tokens.ts';
import { listMySessions } from './usecases/list-sessions.ts';
import { login } from './usecases/login.ts';
import { endMySession, logout, logoutEverywhere } from './usecases/logout.ts';
import { refresh } from './usecases/refresh.ts';
import { register } from './usecases/register.ts';

const tags = ['Authentication'];

/** Mounted at `/v1/auth`. None takes an Idempotency-Key: a kept answer would be a store of live tokens. */
export const authRoutes = createRouter();

authRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/register',
    request: jsonBody(registerBody),
    responses: {
      201: jsonResponse(signedInSchema, 'Registered and signed in'),
      ...problems(400, 403, 409, 422),
    },
    summary: 'Register',
    description: 'The username is public and unique. The answer tells nothing about the e-mail address.',
    operationId: 'register',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const body = c.req.valid('json');
    const signedIn = await register(ctx, {
      username: body.username,
      email: body.email,
      password: body.password,
      displayName: body.display_name,
      challengeResponse: body.challenge_response,
    });
    return c.json(handOverSignedIn(c, signedIn), 201);
  },
);

authRoutes.openapi(
  defineRoute({
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
    description:
      'After a few failures 403 `auth.challenge_required` may ask for a challenge: solve it for the site key and action in `challenge`, and send the same login with `challenge_response`.',
    operationId: 'login',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { identifier, password, challenge_response: challengeResponse } = c.req.valid('json');
    const result = await login(ctx, { identifier, password, challengeResponse });
    if (result.kind === 'mfa_required') return c.json(presentMfaRequired(result), 200);
    return c.json(handOverSignedIn(c, result), 200);
  },
);

authRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/refresh',
    request: optionalJsonBody(refreshBody),
    responses: {
      200: jsonResponse(tokensSchema, 'The next pair of tokens'),
      ...problems(400, 401, 409, 422),
    },
    summary: 'Exchange a refresh token',
    description:
      'Each refresh token is exchanged once. For 30 seconds, and until the new one is used, the token before gets the same pair again, so a lost answer may be asked for anew. Showing any other old token ends the session. 409 `auth.refresh_conflict` tells a request that met others of the same client that their answer has the tokens.',
    operationId: 'refresh',
    tags,
  }),
  async (c) => {
    const presented = c.req.valid('json').refresh_token ?? refreshCookieOf(c);
    if (presented === undefined)
      throw invalidRequest({
        errors: [{ pointer: '/refresh_token', code: 'invalid_type', message: 'There is none.' }],
      });
    return c.json(handOverTokens(c, await refresh(c.var.ctx, presented)), 200);
  },
);

authRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/logout',
    responses: { 204: { description: 'The session is ended' }, ...problems(401) },
    summary: 'Log out',
    description:
      'Ends the session of this access token. Its refresh tokens stop working at once, its access tokens within 10 seconds; at once where the loss would be greatest. 503 means that the session has ended, but its access tokens may work a little longer.',
    operationId: 'logout',
    tags,
  }),
  async (c) => {
    await logout(c.var.ctx);
    clearBrowserSession(c);
    return c.body(null, 204);
  },
);

authRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/logout-all',
    responses: { 204: { description: 'Every session is ended' }, ...problems(401) },
    summary: 'Log out everywhere',
    description: 'Ends every session of the caller, this one too, as `logout` does.',
    operationId: 'logoutEverywhere',
    tags,
  }),
  async (c) => {
    await logoutEverywhere(c.var.ctx);
    clearBrowserSession(c);
    return c.body(null, 204);
  },
);

/** Mounted at `/v1/me/sessions`. */
export const sessionsRoutes = createRouter();

sessionsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    responses: {
      200: jsonResponse(sessionListSchema, 'The open sessions of the caller'),
      ...problems(401),
    },
    summary: 'List my sessions',
    description: 'The one used last first.',
    operationId: 'listMySessions',
    tags,
  }),
  async (c) => {
    const { sessions, currentId } = await listMySessions(c.var.ctx);
    return c.json({ data: sessions.map((row) => presentSession(row, currentId)), next_cursor: null }, 200);
  },
);

sessionsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/{session_id}',
    request: { params: sessionParams },
    responses: { 204: { description: 'The session is ended' }, ...problems(401, 404) },
    summary: 'End one of my sessions',
    description: 'Logs that device out, as `logout` does there.',
    operationId: 'endMySession',
    tags,
  }),
  async (c) => {
    await endMySession(c.var.ctx, c.req.valid('param').session_id);
    return c.body(null, 204);
  },
);

/** Mounted at the root. */
export const wellKnownRoutes = createRouter();

wellKnownRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/.well-known/jwks.json',
    responses: { 200: jsonResponse(jwksSchema, 'Public keys of access tokens'), ...problems() },
    summary: 'Get the keys that verify access tokens',
    operationId: 'getJwks',
    tags,
  }),
  async (c) => {
    c.header('cache-control', 'public, max-age=300');
    return c.json({ keys: [...publicKeySet(c.var.ctx.config.auth).keys] }, 200);
  },
);
