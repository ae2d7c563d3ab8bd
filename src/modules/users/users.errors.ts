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
