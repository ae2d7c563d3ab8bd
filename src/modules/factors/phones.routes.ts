import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { confirmPhoneBody, sentCodeSchema, setPhoneBody } from './factors.schemas.ts';
import { confirmMyPhone, removeMyPhone, startPhone } from './usecases/manage-phone.ts';
import type { SentCode } from './usecases/sms-codes.ts';

const tags = ['Second factors'];

/** What is told about a code that was sent. */
export const presentSentCode = ({ expiresInSeconds, lastDigits }: SentCode) => ({
  expires_in: expiresInSeconds,
  last_digits: lastDigits,
});

/** Mounted at `/v1/me/factors/phone`. */
export const phonesRoutes = createRouter();

phonesRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/',
    request: jsonBody(setPhoneBody),
    responses: {
      202: jsonResponse(sentCodeSchema, 'A code is on its way to the number'),
      ...problems(400, 401, 409, 422),
    },
    summary: 'Set my phone number',
    description:
      'For codes by SMS beside an authenticator app, which must be set up first: numbers are taken over and messages read, so SMS is the weakest factor. The number counts once the code sent to it is confirmed in this session; the one before stays until then.',
    operationId: 'setPhone',
    tags,
  }),
  async (c) => c.json(presentSentCode(await startPhone(c.var.ctx, c.req.valid('json').number)), 202),
);

phonesRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/confirm',
    request: jsonBody(confirmPhoneBody),
    responses: { 204: { description: 'The number gets codes from now on' }, ...problems(400, 401, 409, 422) },
    summary: 'Confirm my phone number',
    description: 'The code works once, for ten minutes, and for five attempts.',
    operationId: 'confirmPhone',
    tags,
  }),
  async (c) => {
    await confirmMyPhone(c.var.ctx, c.req.valid('json').code);
    return c.body(null, 204);
  },
);

phonesRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/',
    responses: { 204: { description: 'The number is forgotten' }, ...problems(401, 404) },
    summary: 'Remove my phone number',
    operationId: 'removePhone',
    tags,
  }),
  async (c) => {
    await removeMyPhone(c.var.ctx);
    return c.body(null, 204);
  },
);
