import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { reactivateBody, reactivatedSchema } from './reactivation.schemas.ts';
import { reactivate } from './usecases/reactivate.ts';

/** Mounted at `/v1/auth`. */
export const reactivationRoutes = createRouter();

reactivationRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/reactivate',
    request: jsonBody(reactivateBody),
    responses: {
      200: jsonResponse(reactivatedSchema, 'The account is open'),
      ...problems(400, 401, 403, 422),
    },
    summary: 'Open my closed account again',
    description:
      'For accounts whose login answers `auth.account_deactivated`. Takes what a login takes, and a code if the account has a second factor. Cancels a deletion that has not begun. It signs nobody in: log in afterwards.',
    operationId: 'reactivate',
    tags: ['Authentication'],
  }),
  async (c) => {
    const {
      identifier,
      password,
      code,
      backup_code,
      challenge_response: challengeResponse,
    } = c.req.valid('json');
    const given =
      code !== undefined
        ? ({ kind: 'totp', code } as const)
        : backup_code !== undefined
          ? ({ kind: 'backup_code', code: backup_code } as const)
          : undefined;
    const { deletionCancelled } = await reactivate(c.var.ctx, {
      identifier,
      password,
      given,
      challengeResponse,
    });
    return c.json({ status: 'active' as const, deletion_cancelled: deletionCancelled }, 200);
  },
);
