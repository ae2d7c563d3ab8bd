import { defineError } from '../../shared/errors.ts';

export const userNotFound = defineError({
  code: 'users.not_found',
  status: 404,
  title: 'There is no such user.',
});
export const usernameTaken = defineError({
  code: 'users.username_taken',
  status: 409,
  title: 'This username is taken; choose another.',
});
export const usernameReserved = defineError({
  code: 'users.username_reserved',
  status: 422,
  title: 'This username is reserved; choose another.',
});
export const birthDateImplausible = defineError({
  code: 'users.birth_date_implausible',
  status: 422,
  title: 'This is not a date on which a user can have been born.',
});
export const birthDateFixed = defineError({
  code: 'users.birth_date_fixed',
  status: 409,
  title: 'You have stated another date of birth before; only the support can clear it.',
});
