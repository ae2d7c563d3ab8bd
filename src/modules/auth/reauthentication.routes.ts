import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { type GivenCode, presentSentCode, sentCodeSchema } from '../factors/index.ts';
import { signedInSchema } from './auth.schemas.ts';
import { handOverAccess, handOverSignedIn } from './auth.views.ts';
import {
  accessTokenSchema,
  changePasswordBody,
  finishLoginBody,
  loginCodeBody,
  stepUpBody,
} from './reauthentication.schemas.ts';
import { changePassword } from './usecases/change-password.ts';
import { finishLogin, sendLoginCode } from './usecases/second-factor.ts';
import { sendStepUpCode, stepUp } from './usecases/step-up.ts';

const tags = ['Authentication'];

/** Mounted at `/v1/auth`. */
export const reauthenticationRoutes = createRouter();

reauthenticationRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/mfa',
    request: jsonBody(finishLoginBody),
    responses: { 200: jsonResponse(signedInSchema, 'Signed in'), ...problems(400, 401, 422) },
    summary: 'Finish a login with a second factor',
    description:
      'Takes the `mfa_token` of the login and a code of the app, a backup code, or one sent by `POST /v1/auth/mfa/sms`. Each code works once. After five wrong codes the login starts anew.',
    operationId: 'finishLogin',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const body = c.req.valid('json');
    const given = givenCode(body) ?? { kind: 'totp', code: '' };
    const signedIn = await finishLogin(ctx, { mfaToken: body.mfa_token, given });
    return c.json(handOverSignedIn(c, signedIn), 200);
  },
);

reauthenticationRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/mfa/sms',
    request: jsonBody(loginCodeBody),
    responses: {
      202: jsonResponse(sentCodeSchema, 'A code is on its way to the number of the account'),
      ...problems(400, 401, 409, 422),
    },
    summary: 'Get a code by SMS to finish a login',
    description:
      'Where `factors` of the login names `sms`. The code works for this login only, once; asking again voids the one before.',
    operationId: 'sendLoginCode',
    tags,
  }),
  async (c) => c.json(presentSentCode(await sendLoginCode(c.var.ctx, c.req.valid('json').mfa_token)), 202),
);

reauthenticationRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/step-up/sms',
    responses: {
      202: jsonResponse(sentCodeSchema, 'A code is on its way to my number'),
      ...problems(401, 409, 422),
    },
    summary: 'Get a code by SMS to confirm that it is me',
    operationId: 'sendStepUpCode',
    tags,
  }),
  async (c) => c.json(presentSentCode(await sendStepUpCode(c.var.ctx)), 202),
);

reauthenticationRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/step-up',
    request: jsonBody(stepUpBody),
    responses: {
      200: jsonResponse(accessTokenSchema, 'A new access token of the same session'),
      ...problems(400, 401, 422),
    },
    summary: 'Confirm that it is me',
    description:
      'For routes that answer `auth.step_up_required`. Takes a code where the account has a second factor, else the password. The new access token opens those routes for five minutes.',
    operationId: 'stepUp',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const body = c.req.valid('json');
    const access = await stepUp(ctx, { password: body.password, given: givenCode(body) });
    return c.json(handOverAccess(c, access), 200);
  },
);

/** Mounted at `/v1/me/password`. */
export const passwordRoutes = createRouter();

passwordRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    request: jsonBody(changePasswordBody),
    responses: { 204: { description: 'The password is changed' }, ...problems(400, 401, 422) },
    summary: 'Change my password',
    description: 'Needs the current password. All other sessions of the account end.',
    operationId: 'changePassword',
    tags,
  }),
  async (c) => {
    const { current_password, new_password } = c.req.valid('json');
    await changePassword(c.var.ctx, { currentPassword: current_password, newPassword: new_password });
    return c.body(null, 204);
  },
);

function givenCode(body: {
  readonly code?: string | undefined;
  readonly backup_code?: string | undefined;
  readonly sms_code?: string | undefined;
}): GivenCode | undefined {
  if (body.sms_code !== undefined) return { kind: 'sms', code: body.sms_code };
  if (body.code !== undefined) return { kind: 'totp', code: body.code };
  return body.backup_code === undefined ? undefined : { kind: 'backup_code', code: body.backup_code };
}
