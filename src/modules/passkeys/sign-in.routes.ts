import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  accessTokenSchema,
  handOverAccess,
  handOverSignedIn,
  reactivatedSchema,
  signedInSchema,
} from '../auth/index.ts';
import {
  assertionBody,
  assertionOptionsSchema,
  finishPasskeyFactorBody,
  startPasskeyFactorBody,
} from './passkeys.schemas.ts';
import { presentAssertionOptions } from './passkeys.views.ts';
import {
  finishLoginByPasskey,
  loginByPasskey,
  reactivateByPasskey,
  startLogin,
  startSecondFactor,
  startStepUp,
  stepUpByPasskey,
} from './usecases/sign-in.ts';

const tags = ['Passkeys'];
const optionsResponse = jsonResponse(assertionOptionsSchema, 'Options for `navigator.credentials.get()`');

/** Mounted at `/v1/auth/passkeys`. None takes an Idempotency-Key: a kept answer would be a store of live tokens. */
export const passkeySignInRoutes = createRouter();

passkeySignInRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/login/options',
    responses: { 200: optionsResponse, ...problems() },
    summary: 'Start a login with a passkey',
    operationId: 'startPasskeyLogin',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(presentAssertionOptions(await startLogin(ctx), ctx.config.passkeys), 200);
  },
);

passkeySignInRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/login',
    request: jsonBody(assertionBody),
    responses: { 200: jsonResponse(signedInSchema, 'Signed in'), ...problems(400, 401, 403, 422) },
    summary: 'Log in with a passkey',
    description: 'Needs neither username nor password nor a second factor.',
    operationId: 'loginWithPasskey',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { challenge_token, credential } = c.req.valid('json');
    const signedIn = await loginByPasskey(ctx, { challengeToken: challenge_token, credential });
    return c.json(handOverSignedIn(c, signedIn), 200);
  },
);

passkeySignInRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/reactivate',
    request: jsonBody(assertionBody),
    responses: {
      200: jsonResponse(reactivatedSchema, 'The account is open'),
      ...problems(400, 401, 403, 422),
    },
    summary: 'Open my closed account again with a passkey',
    description:
      'Answers a challenge of `POST /v1/auth/passkeys/login/options`. Cancels a deletion that has not begun. It signs nobody in: log in afterwards.',
    operationId: 'reactivateWithPasskey',
    tags,
  }),
  async (c) => {
    const { challenge_token, credential } = c.req.valid('json');
    const given = { challengeToken: challenge_token, credential };
    const { deletionCancelled } = await reactivateByPasskey(c.var.ctx, given);
    return c.json({ status: 'active' as const, deletion_cancelled: deletionCancelled }, 200);
  },
);

passkeySignInRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/mfa/options',
    request: jsonBody(startPasskeyFactorBody),
    responses: { 200: optionsResponse, ...problems(400, 401, 404, 422) },
    summary: 'Start showing a passkey as second factor',
    operationId: 'startPasskeyFactor',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const request = await startSecondFactor(ctx, c.req.valid('json').mfa_token);
    return c.json(presentAssertionOptions(request, ctx.config.passkeys), 200);
  },
);

passkeySignInRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/mfa',
    request: jsonBody(finishPasskeyFactorBody),
    responses: { 200: jsonResponse(signedInSchema, 'Signed in'), ...problems(400, 401, 422) },
    summary: 'Finish a login with a passkey as second factor',
    description: 'Takes the `mfa_token` of the login by password. After five failures the login starts anew.',
    operationId: 'finishLoginWithPasskey',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { mfa_token, challenge_token, credential } = c.req.valid('json');
    const given = { mfaToken: mfa_token, challengeToken: challenge_token, credential };
    return c.json(handOverSignedIn(c, await finishLoginByPasskey(ctx, given)), 200);
  },
);

passkeySignInRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/step-up/options',
    responses: { 200: optionsResponse, ...problems(401, 404) },
    summary: 'Start confirming that it is me with a passkey',
    operationId: 'startPasskeyStepUp',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(presentAssertionOptions(await startStepUp(ctx), ctx.config.passkeys), 200);
  },
);

passkeySignInRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/step-up',
    request: jsonBody(assertionBody),
    responses: {
      200: jsonResponse(accessTokenSchema, 'A new access token of the same session'),
      ...problems(400, 401, 422),
    },
    summary: 'Confirm that it is me with a passkey',
    description:
      'For routes that answer `auth.step_up_required`. The new access token opens them for five minutes.',
    operationId: 'stepUpWithPasskey',
    tags,
  }),
  async (c) => {
    const { challenge_token, credential } = c.req.valid('json');
    const access = await stepUpByPasskey(c.var.ctx, { challengeToken: challenge_token, credential });
    return c.json(handOverAccess(c, access), 200);
  },
);
