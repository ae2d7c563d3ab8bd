import { createRouter, defineRoute, jsonBody, jsonResponse, problems } from '../../http/route.ts';
import {
  accountViewSchema,
  clearBirthDateBody,
  foundUsersSchema,
  proposalListSchema,
  proposalParams,
  proposalSchema,
  proposeAdminBody,
  roleParams,
  searchUsersBody,
  suspendBody,
  targetParams,
  unsuspendBody,
} from './admin.schemas.ts';
import { presentAccountView, presentFoundUser, presentProposal } from './admin.views.ts';
import type { Outcome } from './usecases/act.ts';
import {
  clearBirthDate,
  grantRole,
  logUserOut,
  revokeRole,
  suspendUser,
  unsuspendUser,
} from './usecases/change-accounts.ts';
import { lookAtAccount, searchUsers } from './usecases/look-up.ts';
import {
  approveAdmin,
  listProposals,
  proposeAdmin,
  withdrawAdminProposal,
} from './usecases/propose-admin.ts';

const tags = ['Administration'];

const changeResponses = {
  204: { description: 'Done, everywhere' },
  202: { description: 'Done, but access tokens of the account may work a little longer' },
};
const statusOf = (outcome: Outcome): 204 | 202 => (outcome === 'made' ? 204 : 202);

/** Mounted at `/v1/admin`. Every act, and every look, is written into the audit log in the statement that does it. */
export const adminRoutes = createRouter();

adminRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/users/search',
    request: jsonBody(searchUsersBody),
    responses: {
      200: jsonResponse(foundUsersSchema, 'Accounts, the newest first'),
      ...problems(400, 401, 403, 422),
    },
    summary: 'Search accounts',
    description: 'A POST, so that no address of a person stands in the address of a request.',
    operationId: 'searchUsers',
    tags,
  }),
  async (c) => {
    const { id, username, email, status, role, ...rest } = c.req.valid('json');
    const filters = { id, usernamePrefix: username, email, status, role };
    const { users, next } = await searchUsers(c.var.ctx, filters, { limit: rest.limit, cursor: rest.cursor });
    return c.json({ data: users.map(presentFoundUser), next_cursor: next }, 200);
  },
);

adminRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/users/{user_id}',
    request: { params: targetParams },
    responses: { 200: jsonResponse(accountViewSchema, 'The account'), ...problems(401, 403, 404) },
    summary: 'Look at an account',
    operationId: 'viewUserAccount',
    tags,
  }),
  async (c) => {
    const { account, showsEmail } = await lookAtAccount(c.var.ctx, c.req.valid('param').user_id);
    return c.json(presentAccountView(account, showsEmail), 200);
  },
);

adminRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/users/{user_id}/suspend',
    request: { params: targetParams, ...jsonBody(suspendBody) },
    responses: { ...changeResponses, ...problems(400, 401, 403, 404, 409, 422) },
    summary: 'Suspend an account',
    description: 'Ends its sessions, access tokens, sockets and API keys.',
    operationId: 'suspendUser',
    tags,
  }),
  async (c) => {
    const { user_id } = c.req.valid('param');
    const { reason, until } = c.req.valid('json');
    return c.body(null, statusOf(await suspendUser(c.var.ctx, { userId: user_id, reason, until })));
  },
);

adminRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/users/{user_id}/unsuspend',
    request: { params: targetParams, ...jsonBody(unsuspendBody) },
    responses: { ...changeResponses, ...problems(400, 401, 403, 404, 409, 422) },
    summary: 'Lift the suspension of an account',
    operationId: 'unsuspendUser',
    tags,
  }),
  async (c) => {
    const { user_id } = c.req.valid('param');
    const { reason } = c.req.valid('json');
    return c.body(null, statusOf(await unsuspendUser(c.var.ctx, { userId: user_id, reason })));
  },
);

adminRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/users/{user_id}/logout',
    request: { params: targetParams },
    responses: { ...changeResponses, ...problems(401, 403, 404) },
    summary: 'Log an account out everywhere',
    operationId: 'logUserOut',
    tags,
  }),
  async (c) => c.body(null, statusOf(await logUserOut(c.var.ctx, c.req.valid('param').user_id))),
);

adminRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/users/{user_id}/birth-date/clear',
    request: { params: targetParams, ...jsonBody(clearBirthDateBody) },
    responses: { ...changeResponses, ...problems(400, 401, 403, 404, 422) },
    summary: 'Clear the date of birth of an account',
    description: 'For one stated by mistake: its owner may then state another, once. Nobody sees the date.',
    operationId: 'clearBirthDate',
    tags,
  }),
  async (c) => {
    const { user_id } = c.req.valid('param');
    const { reason } = c.req.valid('json');
    return c.body(null, statusOf(await clearBirthDate(c.var.ctx, { userId: user_id, reason })));
  },
);

adminRoutes.openapi(
  defineRoute({
    method: 'put',
    path: '/users/{user_id}/roles/{role}',
    request: { params: roleParams },
    responses: { ...changeResponses, ...problems(401, 403, 404, 409) },
    summary: 'Give an account a role',
    description: 'The role of an administrator needs two of them: see `proposeAdmin`.',
    operationId: 'grantRole',
    tags,
  }),
  async (c) => {
    const { user_id, role } = c.req.valid('param');
    return c.body(null, statusOf(await grantRole(c.var.ctx, user_id, role)));
  },
);

adminRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/users/{user_id}/roles/{role}',
    request: { params: roleParams },
    responses: { ...changeResponses, ...problems(401, 403, 404) },
    summary: 'Take a role from an account',
    description: 'Holds at its next request.',
    operationId: 'revokeRole',
    tags,
  }),
  async (c) => {
    const { user_id, role } = c.req.valid('param');
    return c.body(null, statusOf(await revokeRole(c.var.ctx, user_id, role)));
  },
);

adminRoutes.openapi(
  defineRoute({
    method: 'get',
    path: '/proposals',
    responses: {
      200: jsonResponse(proposalListSchema, 'Open proposals, the oldest first'),
      ...problems(401, 403),
    },
    summary: 'List proposed administrators',
    operationId: 'listAdminProposals',
    tags,
  }),
  async (c) =>
    c.json({ data: (await listProposals(c.var.ctx)).map(presentProposal), next_cursor: null }, 200),
);

adminRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/proposals',
    request: jsonBody(proposeAdminBody),
    responses: {
      201: jsonResponse(proposalSchema, 'The proposal'),
      ...problems(400, 401, 403, 404, 409, 422),
    },
    summary: 'Propose an administrator',
    description: 'Another administrator must approve it within 24 hours.',
    operationId: 'proposeAdmin',
    tags,
  }),
  async (c) => {
    const { user_id, reason } = c.req.valid('json');
    return c.json(presentProposal(await proposeAdmin(c.var.ctx, { userId: user_id, reason })), 201);
  },
);

adminRoutes.openapi(
  defineRoute({
    method: 'post',
    path: '/proposals/{proposal_id}/approve',
    request: { params: proposalParams },
    responses: { ...changeResponses, ...problems(401, 403, 404, 409) },
    summary: 'Approve an administrator another proposed',
    operationId: 'approveAdmin',
    tags,
  }),
  async (c) => c.body(null, statusOf(await approveAdmin(c.var.ctx, c.req.valid('param').proposal_id))),
);

adminRoutes.openapi(
  defineRoute({
    method: 'delete',
    path: '/proposals/{proposal_id}',
    request: { params: proposalParams },
    responses: { 204: { description: 'The proposal is closed' }, ...problems(401, 403, 404, 409) },
    summary: 'Withdraw a proposed administrator',
    operationId: 'withdrawAdminProposal',
    tags,
  }),
  async (c) => {
    await withdrawAdminProposal(c.var.ctx, c.req.valid('param').proposal_id);
    return c.body(null, 204);
  },
);
