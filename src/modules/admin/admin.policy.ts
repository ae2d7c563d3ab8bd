import type { Role } from '../../http/roles.ts';

/** Roles whose accounts only an administrator may touch. */
export const staffRoles = ['moderator', 'admin'] as const satisfies readonly Role[];

/** Roles one administrator may give. `admin` needs two, see propose-admin.ts. */
export const givenByOne = ['creator', 'moderator', 'advertiser'] as const satisfies readonly Role[];

/** Roles that may be given or taken; `user` everybody has for good. */
export const changeableRoles = [
  'creator',
  'moderator',
  'advertiser',
  'admin',
] as const satisfies readonly Role[];

export type ChangeableRole = (typeof changeableRoles)[number];

/** How long a proposal waits for a second administrator. */
export const proposalHours = 24;

export const isAdmin = (roles: readonly string[]): boolean => roles.includes('admin');
export const isStaff = (roles: readonly string[]): boolean => staffRoles.some((role) => roles.includes(role));

/** What a change to an account found. */
export interface Standing {
  /** Whether who asks still has the role, the session's epoch and an active account. */
  readonly actorStands: boolean;
  readonly actorIsAdmin: boolean;
  readonly oneself: boolean;
  /** Undefined when there is no such account. */
  readonly targetRoles: readonly string[] | undefined;
}

/**
 * Why an account may not be touched, in the order in which it is told; undefined when it may. Nobody touches their own account,
 * so whoever takes the role of an administrator away is one that remains: there is always one.
 */
export function refusalFor(standing: Standing): 'forbidden' | 'not_found' | 'oneself' | 'staff' | undefined {
  if (!standing.actorStands) return 'forbidden';
  if (standing.oneself) return 'oneself';
  if (standing.targetRoles === undefined) return 'not_found';
  if (isStaff(standing.targetRoles) && !standing.actorIsAdmin) return 'staff';
  return undefined;
}
