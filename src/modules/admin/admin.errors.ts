import { defineError } from '../../shared/errors.ts';

export const notOneself = defineError({
  code: 'admin.not_oneself',
  status: 403,
  title: 'Nobody may do this to their own account.',
});
export const staffProtected = defineError({
  code: 'admin.staff_protected',
  status: 403,
  title: 'Only an administrator may do this to a moderator or administrator.',
});
export const wrongStatus = defineError({
  code: 'admin.wrong_status',
  status: 409,
  title: 'The status of this account does not allow that.',
});
export const twoAdministratorsNeeded = defineError({
  code: 'admin.two_administrators_needed',
  status: 403,
  title: 'Administrators are made by two: propose it, and have another administrator approve.',
});
export const alreadyAdministrator = defineError({
  code: 'admin.already_administrator',
  status: 409,
  title: 'This account is an administrator already.',
});
export const proposalExists = defineError({
  code: 'admin.proposal_exists',
  status: 409,
  title: 'This is proposed already; another administrator may approve it.',
});
export const proposalNotFound = defineError({
  code: 'admin.proposal_not_found',
  status: 404,
  title: 'There is no such proposal.',
});
export const proposalClosed = defineError({
  code: 'admin.proposal_closed',
  status: 409,
  title: 'This proposal was decided, is too old, or its proposer is no administrator any more.',
});
export const ownProposal = defineError({
  code: 'admin.own_proposal',
  status: 403,
  title: 'Another administrator must approve this: not who proposed it, and not whom it is about.',
});
