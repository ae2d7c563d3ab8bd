import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { accountSchema, presentAccount } from '../users/index.ts';
import { changeUsernameBody, deletionSchema } from './accounts.schemas.ts';
import { changeMyUsername } from './usecases/change-username.ts';
import { deactivateMyAccount, requestMyDeletion } from './usecases/close-account.ts';

const tags = ['Account'];

/** Mounted at `/v1/me`. */
export const accountsRoutes = createRouter();

accountsRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/username',
    request: jsonBody(changeUsernameBody),
    responses: {
      200: jsonResponse(accountSchema, 'The account under its new name'),
      ...problems(400, 401, 409, 422),
    },
    summary: 'Change my username',
    description:
      'Once in 30 days; another spelling of the same name at any time. The old name finds nobody from then on, and for 90 days nobody else can take it.',
    operationId: 'changeUsername',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const account = await changeMyUsername(ctx, c.req.valid('json').username);
    return c.json(presentAccount(account, ctx.config.aws.cdnBaseUrl), 200);
  },
);

accountsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/deactivation',
    responses: { 204: { description: 'The account is closed' }, ...problems(401, 409) },
    summary: 'Deactivate my account',
    description:
      'Hides the account and all it published, and ends every session. `POST /v1/auth/reactivate` opens it again, by its password; an account with neither a password nor a verified address is refused.',
    operationId: 'deactivateAccount',
    tags,
  }),
  async (c) => {
    await deactivateMyAccount(c.var.ctx);
    return c.body(null, 204);
  },
);

accountsRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/deletion',
    responses: {
      202: jsonResponse(deletionSchema, 'The account is closed and will be erased'),
      ...problems(401, 409),
    },
    summary: 'Delete my account',
    description:
      'Closes the account at once and erases it 30 days later. Until then `POST /v1/auth/reactivate` cancels the deletion.',
    operationId: 'deleteAccount',
    tags,
  }),
  async (c) => c.json({ deletion_due_at: await requestMyDeletion(c.var.ctx) }, 202),
);
