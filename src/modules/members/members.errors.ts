import { defineError } from '../../shared/errors.ts';

export const cannotJoinSelf = defineError({
  code: 'members.self',
  status: 422,
  title: 'You see everything of your own channel already; name somebody else.',
});
export const membershipInThePast = defineError({
  code: 'members.expired',
  status: 422,
  title: 'A membership must end in the future, or not at all.',
});
