import { createRouter, defineRoute, jsonBody, problems } from '../../http/route.ts';
import {
  changeEmailBody,
  confirmEmailBody,
  confirmPasswordResetBody,
  requestPasswordResetBody,
} from './account-recovery.schemas.ts';
import { confirmEmail, requestEmailChange, requestEmailVerification } from './usecases/email-address.ts';
import { confirmPasswordReset, requestPasswordReset } from './usecases/reset-password.ts';

const tags = ['Authentication'];

/** Mounted at `/v1/auth`. */
export const accountRecoveryRoutes = createRouter();

accountRecoveryRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/password-reset',
    request: jsonBody(requestPasswordResetBody),
    responses: {
      202: { description: 'If this account can be reset by mail, a mail is on its way' },
      ...problems(400, 422),
    },
    summary: 'Ask for a mail that resets my password',
    description:
      'The answer is the same whether or not there is such an account. The mail goes to the verified address of the account; its link works once, for ten minutes.',
    operationId: 'requestPasswordReset',
    tags,
  }),
  async (c) => {
    await requestPasswordReset(c.var.ctx, c.req.valid('json').identifier);
    return c.body(null, 202);
  },
);

accountRecoveryRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/password-reset/confirm',
    request: jsonBody(confirmPasswordResetBody),
    responses: { 204: { description: 'The password is set' }, ...problems(400, 422) },
    summary: 'Set a new password by the link of a mail',
    description:
      'Ends every session. Signs nobody in: log in with the new password, and with the second factor if the account has one.',
    operationId: 'confirmPasswordReset',
    tags,
  }),
  async (c) => {
    const { token, new_password } = c.req.valid('json');
    await confirmPasswordReset(c.var.ctx, { token, newPassword: new_password });
    return c.body(null, 204);
  },
);

accountRecoveryRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/email-verification',
    responses: {
      202: { description: 'If the address is not verified yet, a mail is on its way' },
      ...problems(401),
    },
    summary: 'Ask for another mail that verifies my e-mail address',
    operationId: 'requestEmailVerification',
    tags,
  }),
  async (c) => {
    await requestEmailVerification(c.var.ctx);
    return c.body(null, 202);
  },
);

accountRecoveryRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/email-verification/confirm',
    request: jsonBody(confirmEmailBody),
    responses: { 204: { description: 'The address is verified' }, ...problems(400, 401, 409, 422) },
    summary: 'Confirm my e-mail address by the link of a mail',
    description:
      'For the first address of an account and for a new one. Only the account the mail was sent for can confirm, so the client logs in first.',
    operationId: 'confirmEmail',
    tags,
  }),
  async (c) => {
    await confirmEmail(c.var.ctx, c.req.valid('json').token);
    return c.body(null, 204);
  },
);

/** Mounted at `/v1/me/email`. */
export const emailRoutes = createRouter();

emailRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/',
    request: jsonBody(changeEmailBody),
    responses: {
      202: { description: 'A mail to the new address is on its way' },
      ...problems(400, 401, 422),
    },
    summary: 'Change my e-mail address',
    description:
      'The account keeps its old address until the link in the mail to the new one is confirmed. The old address is told.',
    operationId: 'changeEmail',
    tags,
  }),
  async (c) => {
    await requestEmailChange(c.var.ctx, c.req.valid('json').email);
    return c.body(null, 202);
  },
);
