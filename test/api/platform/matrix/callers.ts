import { isOpenToKeys } from '../../../../src/http/access.ts';
import { type ApiKeyScope, apiKeyScopes, type Role } from '../../../../src/http/roles.ts';
import type { Access, RoutePolicy } from '../../../../src/http/route-policies.ts';
import { call, seedUser, signToken, sqlRows, type TestUser } from '../../../support/worker/client.ts';
import { seedStaff, suspend, tokenOf } from '../../admin/staff.ts';
import { createKey } from '../../api-keys/keys.ts';

/** Who calls, as a column of the matrix. */
export const callerKinds = [
  'anonymous',
  'user',
  'creator',
  'moderator',
  'advertiser',
  'admin',
  'user whose login is old',
  'staff without second factor',
  'key with only the scope',
  'key with every other scope',
  'token of a suspended account',
  'token of an ended session',
] as const;

export type CallerKind = (typeof callerKinds)[number];

export interface Caller {
  readonly token: string | undefined;
  /** The account behind it, with a token of a full session that can make things. */
  readonly user: TestUser | undefined;
}

/** What the table says of a caller: let through to the route itself, or refused with this. */
export type Expectation = 'let through' | { readonly status: number; readonly code: string };

/** What outside systems that do not prove themselves are told, by their route. */
const unproven: Readonly<Record<Extract<Access, { kind: 'webhook' }>['source'], string>> = {
  aws: 'webhooks.unauthenticated',
  facebook: 'identities.signed_request_invalid',
};

const unauthenticated = { status: 401, code: 'auth.unauthenticated' };
const rolesOf = (kind: CallerKind): readonly Role[] =>
  kind === 'creator' || kind === 'moderator' || kind === 'advertiser' || kind === 'admin'
    ? ['user', kind]
    : kind === 'staff without second factor'
      ? ['user', 'moderator', 'admin']
      : ['user'];

/** Reads the policy anew, apart from the code that enforces it. */
export function expectationOf(policy: RoutePolicy, kind: CallerKind): Expectation {
  const { access, scope, roles, stepUp } = policy;
  if (access.kind === 'public') return 'let through';
  if (access.kind === 'webhook') return { status: 401, code: unproven[access.source] };
  if (kind === 'anonymous') return access.kind === 'optional' ? 'let through' : unauthenticated;
  if (kind === 'token of a suspended account' || kind === 'token of an ended session') return unauthenticated;
  if (kind === 'key with only the scope' || kind === 'key with every other scope') {
    if (scope === undefined || policy.sensitive === true || stepUp === true || roles !== undefined)
      return { status: 403, code: 'auth.api_key_refused' };
    return kind === 'key with only the scope'
      ? 'let through'
      : { status: 403, code: 'auth.insufficient_scope' };
  }
  if (roles !== undefined && !rolesOf(kind).some((role) => roles.includes(role)))
    return { status: 403, code: 'auth.forbidden' };
  if (stepUp === true && kind === 'user whose login is old')
    return { status: 401, code: 'auth.step_up_required' };
  if (stepUp === true && roles !== undefined && kind === 'staff without second factor')
    return { status: 403, code: 'admin.second_factor_required' };
  return 'let through';
}

/** A new caller of this kind, for one call that may change what it is. */
export async function makeCaller(kind: CallerKind, policy: RoutePolicy): Promise<Caller> {
  switch (kind) {
    case 'anonymous':
      return { token: undefined, user: undefined };
    case 'user': {
      const user = await seedUser();
      return { token: user.token, user };
    }
    case 'creator':
    case 'moderator':
    case 'advertiser':
    case 'admin': {
      const user = await seedStaff(kind);
      return { token: user.token, user };
    }
    case 'user whose login is old': {
      const user = await seedUser();
      const auth_time = Math.floor(Date.now() / 1000) - 301;
      const token = await signToken({
        userUuid: user.uuid,
        sessionUuid: user.sessionUuid,
        claims: { auth_time },
      });
      return { token, user };
    }
    case 'staff without second factor': {
      const user = await seedStaffWithoutFactor();
      return { token: user.token, user };
    }
    case 'key with only the scope':
    case 'key with every other scope': {
      const user = await seedUser();
      const needed = isOpenToKeys(policy) ? policy.scope : undefined;
      const scopes: ApiKeyScope[] =
        kind === 'key with only the scope' && needed !== undefined
          ? [needed]
          : apiKeyScopes.filter((scope) => scope !== needed);
      return { token: (await createKey(user, scopes)).secret, user };
    }
    case 'token of a suspended account': {
      const [admin, user] = [await seedStaff('admin'), await seedUser()];
      if ((await suspend(admin, user)).status !== 204) throw new Error('could not suspend');
      return { token: user.token, user };
    }
    case 'token of an ended session': {
      const user = await seedUser();
      if ((await call('POST', '/v1/auth/logout', { token: user.token })).status !== 204)
        throw new Error('could not log out');
      return { token: user.token, user };
    }
  }
}

async function seedStaffWithoutFactor(): Promise<TestUser> {
  const user = await seedUser();
  await sqlRows("UPDATE users SET roles = '{user,moderator,admin}' WHERE id = $1", [user.uuid]);
  return { ...user, token: await tokenOf(user, ['user', 'moderator', 'admin']) };
}
