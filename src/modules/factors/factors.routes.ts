import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import type { FactorsRow } from './factors.repository.ts';
import {
  confirmTotpBody,
  factorsSchema,
  newBackupCodesSchema,
  totpEnrolmentSchema,
} from './factors.schemas.ts';
import {
  confirmPendingTotp,
  listFactors,
  regenerateBackupCodes,
  removeMyTotp,
  startTotp,
} from './usecases/manage-factors.ts';
import { type MyPhone, myPhone } from './usecases/manage-phone.ts';

const tags = ['Second factors'];

const presentFactors = ({ totpConfirmedAt, backupCodesLeft }: FactorsRow, phone: MyPhone | undefined) => ({
  totp: totpConfirmedAt === null ? null : { confirmed_at: totpConfirmedAt },
  phone: phone === undefined ? null : { last_digits: phone.lastDigits, verified_at: phone.verifiedAt },
  backup_codes_left: backupCodesLeft,
});

/** Mounted at `/v1/me/factors`. None takes an Idempotency-Key: a kept answer would be a store of seeds and codes. */
export const factorsRoutes = createRouter();

factorsRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    responses: { 200: jsonResponse(factorsSchema, 'The second factors of the caller'), ...problems(401) },
    summary: 'List my second factors',
    operationId: 'listFactors',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const [factors, phone] = await Promise.all([listFactors(ctx), myPhone(ctx)]);
    return c.json(presentFactors(factors, phone), 200);
  },
);

factorsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/totp',
    responses: {
      201: jsonResponse(totpEnrolmentSchema, 'A seed that waits to be confirmed'),
      ...problems(401, 409),
    },
    summary: 'Start setting up an authenticator app',
    operationId: 'startTotp',
    tags,
  }),
  async (c) => {
    const enrolment = await startTotp(c.var.ctx);
    return c.json(
      {
        secret: enrolment.secret,
        otpauth_uri: enrolment.otpauthUri,
        qr_svg: enrolment.qrSvg,
        expires_in: enrolment.expiresInSeconds,
      },
      201,
    );
  },
);

factorsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/totp/confirm',
    request: jsonBody(confirmTotpBody),
    responses: {
      200: jsonResponse(newBackupCodesSchema, 'The authenticator is on; the backup codes'),
      ...problems(400, 401, 409, 422),
    },
    summary: 'Confirm an authenticator app with its first code',
    operationId: 'confirmTotp',
    tags,
  }),
  async (c) => {
    const codes = await confirmPendingTotp(c.var.ctx, c.req.valid('json').code);
    return c.json({ backup_codes: [...codes] }, 200);
  },
);

factorsRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/totp',
    responses: {
      204: { description: 'The authenticator is gone, and with the last second factor the backup codes' },
      ...problems(401, 404),
    },
    summary: 'Remove my authenticator app',
    operationId: 'removeTotp',
    tags,
  }),
  async (c) => {
    await removeMyTotp(c.var.ctx);
    return c.body(null, 204);
  },
);

factorsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/backup-codes',
    responses: {
      200: jsonResponse(newBackupCodesSchema, 'Ten new backup codes; the old ones are void'),
      ...problems(401, 404),
    },
    summary: 'Make new backup codes',
    operationId: 'regenerateBackupCodes',
    tags,
  }),
  async (c) => c.json({ backup_codes: [...(await regenerateBackupCodes(c.var.ctx))] }, 200),
);
