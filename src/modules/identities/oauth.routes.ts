import { getCookie, setCookie } from 'hono/cookie';
import type { AppContext } from '../../http/env.ts';
import { duplicateParameter, invalidParameters } from '../../http/errors.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { configuredProviders, type ProviderName } from '../../integrations/oauth/index.ts';
import { accessTokenSchema, handOverAccess } from '../auth/index.ts';
import { flowSeconds } from './identities.policy.ts';
import {
  callbackAnswer,
  completedSchema,
  departQuery,
  handoffBody,
  providerParams,
  providersSchema,
  registerByProviderBody,
  startBody,
  startedSchema,
} from './identities.schemas.ts';
import { presentCompleted } from './identities.views.ts';
import { startOwnFlow, stepUpByProvider } from './usecases/manage-identities.ts';
import { completeSignIn, registerByProvider } from './usecases/sign-in.ts';
import { departToProvider, startFlow } from './usecases/start-flow.ts';
import { type CallbackAnswer, type CallbackMode, takeCallback } from './usecases/take-callback.ts';

const tags = ['Social login'];

/** Mounted at `/v1/auth/oauth`. */
export const oauthRoutes = createRouter();

oauthRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/providers',
    responses: { 200: jsonResponse(providersSchema, 'The providers one may log in with'), ...problems() },
    summary: 'List the providers for social login',
    operationId: 'listProviders',
    tags,
  }),
  (c) => {
    const data = configuredProviders(c.var.ctx.config.oauth).map(({ name, title }) => ({
      provider: name,
      title,
    }));
    return c.json({ data }, 200);
  },
);

oauthRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{provider}/start',
    request: { params: providerParams, ...jsonBody(startBody) },
    responses: { 200: jsonResponse(startedSchema, 'Where to send the browser'), ...problems(400, 404, 422) },
    summary: 'Begin a login by a provider',
    description:
      'The browser comes back to `return_to` with `#handoff=...`, or with `#error=access_denied` or `#error=provider_error`. The handoff goes to `POST /v1/auth/oauth/complete` with the verifier.',
    operationId: 'startOAuth',
    tags,
  }),
  async (c) =>
    c.json(
      await started(
        startFlow(c.var.ctx, c.req.valid('param').provider, 'sign_in', startOf(c.req.valid('json'))),
      ),
      200,
    ),
);

oauthRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{provider}/authorize',
    request: { params: providerParams, query: departQuery },
    responses: { 303: { description: 'On to the provider' }, ...problems(400, 404) },
    summary: 'Send the browser on to a provider',
    description: 'Opened by the browser, never by code: the address comes from the start of a login.',
    operationId: 'departOAuth',
    tags,
  }),
  async (c) => {
    const { location, cookie } = await departToProvider(
      c.var.ctx,
      c.req.valid('param').provider,
      c.req.valid('query').state ?? '',
    );
    setBrowserCookie(c, cookie, cookie.value, flowSeconds);
    return c.redirect(location, 303);
  },
);

oauthRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{provider}/callback',
    request: { params: providerParams, query: callbackAnswer },
    responses: { 303: { description: 'Back to the client' }, ...problems(400, 404) },
    summary: 'Take the browser back from a provider',
    operationId: 'receiveOAuthCallback',
    tags,
  }),
  async (c) => comeBack(c, c.req.valid('param').provider, c.req.valid('query'), 'query'),
);

oauthRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{provider}/callback',
    request: { params: providerParams },
    responses: { 303: { description: 'Back to the client' }, ...problems(400, 404, 415) },
    summary: 'Take the browser back from a provider that posts a form',
    description: 'The body is `application/x-www-form-urlencoded`, as Apple sends it.',
    operationId: 'receiveOAuthForm',
    tags,
  }),
  async (c) => comeBack(c, c.req.valid('param').provider, answerOf(await c.req.arrayBuffer()), 'form_post'),
);

oauthRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/complete',
    request: jsonBody(handoffBody),
    responses: {
      200: jsonResponse(completedSchema, 'Signed in, or what is owed before'),
      ...problems(400, 401, 403, 409, 422, 502),
    },
    summary: 'Finish a login by a provider',
    operationId: 'completeOAuth',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const result = await completeSignIn(ctx, handoffOf(c.req.valid('json')));
    return c.json(presentCompleted(c, result), 200);
  },
);

oauthRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/register',
    request: jsonBody(registerByProviderBody),
    responses: {
      201: jsonResponse(completedSchema, 'Registered and signed in'),
      ...problems(400, 401, 403, 409, 422),
    },
    summary: 'Register with a provider',
    description:
      'For logins that answered `registration_required`. The account has no password. An address the provider does not answer for gets a mail to verify it. Asks for a challenge where `POST /v1/auth/register` does.',
    operationId: 'registerByProvider',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const body = c.req.valid('json');
    const result = await registerByProvider(ctx, {
      registrationToken: body.registration_token,
      username: body.username,
      email: body.email,
      displayName: body.display_name,
      challengeResponse: body.challenge_response,
    });
    return c.json(presentCompleted(c, result), 201);
  },
);

oauthRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/{provider}/step-up',
    request: { params: providerParams, ...jsonBody(startBody) },
    responses: {
      200: jsonResponse(startedSchema, 'Where to send the browser'),
      ...problems(400, 401, 404, 409, 422),
    },
    summary: 'Begin to confirm that it is me by a provider',
    description:
      'Only by providers that say when the person logged in there: Google. Others are refused with `identities.no_fresh_login`.',
    operationId: 'startProviderStepUp',
    tags,
  }),
  async (c) =>
    c.json(
      await started(
        startOwnFlow(c.var.ctx, c.req.valid('param').provider, 'step_up', startOf(c.req.valid('json'))),
      ),
      200,
    ),
);

oauthRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/step-up',
    request: jsonBody(handoffBody),
    responses: {
      200: jsonResponse(accessTokenSchema, 'A new access token of the same session'),
      ...problems(400, 401, 409, 422, 502),
    },
    summary: 'Confirm that it is me by a provider',
    description: 'Only for accounts with neither a password nor a second factor.',
    operationId: 'stepUpByProvider',
    tags,
  }),
  async (c) => {
    const access = await stepUpByProvider(c.var.ctx, handoffOf(c.req.valid('json')));
    return c.json(handOverAccess(c, access), 200);
  },
);

export const startOf = (body: { readonly return_to: string; readonly code_challenge: string }) => ({
  returnTo: body.return_to,
  codeChallenge: body.code_challenge,
});

export const handoffOf = (body: { readonly handoff: string; readonly code_verifier: string }) => ({
  handoff: body.handoff,
  codeVerifier: body.code_verifier,
});

export async function started(work: ReturnType<typeof startFlow>) {
  const { authorizationUrl, expiresInSeconds } = await work;
  return { authorization_url: authorizationUrl, expires_in: expiresInSeconds };
}

async function comeBack(c: AppContext, provider: ProviderName, answer: CallbackAnswer, mode: CallbackMode) {
  const { location, cookieName, secure } = await takeCallback(c.var.ctx, provider, answer, mode, (name) =>
    getCookie(c, name),
  );
  setBrowserCookie(c, { name: cookieName, secure }, '', 0);
  return c.redirect(location, 303);
}

/** The fields of a form, each at most once, as a query would have to have them. */
export function formOf(bytes: ArrayBuffer): Readonly<Record<string, string>> {
  const fields = new URLSearchParams(new TextDecoder().decode(bytes));
  const keys = [...fields.keys()];
  if (new Set(keys).size !== keys.length) throw duplicateParameter();
  return Object.fromEntries(fields);
}

function answerOf(bytes: ArrayBuffer): CallbackAnswer {
  const parsed = callbackAnswer.safeParse(formOf(bytes));
  if (!parsed.success) throw invalidParameters();
  return parsed.data;
}

// Apple posts its answer across sites, which only a cookie of SameSite=None comes along with; that needs Secure. Without https,
// as in development, everything is on one host, which is one site.
function setBrowserCookie(
  c: AppContext,
  cookie: { readonly name: string; readonly secure: boolean },
  value: string,
  maxAge: number,
): void {
  setCookie(c, cookie.name, value, {
    path: '/',
    httpOnly: true,
    secure: cookie.secure,
    sameSite: cookie.secure ? 'None' : 'Lax',
    maxAge,
  });
}
