import { withEtag } from '../../http/etag.ts';
import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import { stateBirthDate } from './birth-dates.usecases.ts';
import {
  accountSchema,
  birthDateBody,
  birthDateStatedSchema,
  updateProfileBody,
  userProfileSchema,
  userReferenceParams,
} from './users.schemas.ts';
import { getMyAccount, getProfile, updateMyProfile } from './users.usecases.ts';
import { presentAccount, presentProfile } from './users.views.ts';

const tags = ['Users'];

/** Mounted at `/v1/users`. */
export const usersRoutes = createRouter();

usersRoutes.use('/:user', withEtag());

usersRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/{user}',
    request: { params: userReferenceParams },
    responses: { 200: jsonResponse(userProfileSchema, 'The profile'), ...problems(401, 404) },
    summary: 'Get a profile by username or user id',
    operationId: 'getUser',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const { user, viewer } = await getProfile(ctx, c.req.valid('param').user);
    return c.json(presentProfile(user, viewer, ctx.config.aws.cdnBaseUrl), 200);
  },
);

/** Mounted at `/v1/me`. */
export const meRoutes = createRouter();

meRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/',
    responses: { 200: jsonResponse(accountSchema, 'The account of the caller'), ...problems(401) },
    summary: 'Get my account',
    operationId: 'getMe',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    return c.json(presentAccount(await getMyAccount(ctx), ctx.config.aws.cdnBaseUrl), 200);
  },
);

meRoutes.openapi(
  defineRoute({
    method: 'patch',
    path: '/',
    request: jsonBody(updateProfileBody),
    responses: { 200: jsonResponse(accountSchema, 'The changed account'), ...problems(400, 401, 422) },
    summary: 'Change my profile',
    description: 'Fields that are left out stay as they are. `website: null` removes the website.',
    operationId: 'updateMe',
    tags,
  }),
  async (c) => {
    const { ctx } = c.var;
    const body = c.req.valid('json');
    const account = await updateMyProfile(ctx, {
      displayName: body.display_name,
      bio: body.bio,
      website: body.website,
    });
    return c.json(presentAccount(account, ctx.config.aws.cdnBaseUrl), 200);
  },
);

meRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/birth-date',
    request: jsonBody(birthDateBody),
    responses: {
      200: jsonResponse(birthDateStatedSchema, 'The date is kept'),
      ...problems(400, 401, 409, 422),
    },
    summary: 'State my date of birth',
    description:
      'Needed to watch what is for adults. It can be stated once, since what is for adults must not be a matter of trying dates; the support can clear one that is wrong. It is kept sealed and shown to nobody; the export of the account has it.',
    operationId: 'stateBirthDate',
    tags,
  }),
  async (c) => {
    await stateBirthDate(c.var.ctx, c.req.valid('json').birth_date);
    return c.json({ stated: true }, 200);
  },
);
