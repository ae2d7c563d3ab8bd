import { defineError } from '../../shared/errors.ts';

export const totpExists = defineError({
  code: 'factors.totp_exists',
  status: 409,
  title: 'An authenticator is set up already; remove it first.',
});
export const totpNotPending = defineError({
  code: 'factors.totp_not_pending',
  status: 409,
  title: 'No authenticator waits to be confirmed, or it waited too long; start again.',
});
export const totpNotFound = defineError({
  code: 'factors.totp_not_found',
  status: 404,
  title: 'No authenticator is set up.',
});
export const codeInvalid = defineError({
  code: 'factors.code_invalid',
  status: 422,
  title: 'This code is not right; enter the one shown now.',
});
