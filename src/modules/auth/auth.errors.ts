import { defineError } from '../../shared/errors.ts';

export const invalidCredentials = defineError({
  code: 'auth.invalid_credentials',
  status: 401,
  title: 'The username, e-mail address or password is not right.',
});
export const accountSuspended = defineError({
  code: 'auth.account_suspended',
  status: 403,
  title: 'This account is suspended.',
});
export const accountDeactivated = defineError({
  code: 'auth.account_deactivated',
  status: 403,
  title: 'This account is deactivated.',
});
export const passwordRefused = defineError({
  code: 'auth.password_refused',
  status: 422,
  title: 'This password is too easy to guess; choose another.',
});
export const refreshInvalid = defineError({
  code: 'auth.refresh_invalid',
  status: 401,
  title: 'This refresh token is not valid any more; log in again.',
});
export const refreshReused = defineError({
  code: 'auth.refresh_reused',
  status: 401,
  title: 'This refresh token was used before, so its session was ended; log in again.',
});
export const refreshConflict = defineError({
  code: 'auth.refresh_conflict',
  status: 409,
  title: 'This refresh token was exchanged a moment ago; use the tokens of that answer.',
});
export const sessionNotFound = defineError({
  code: 'sessions.not_found',
  status: 404,
  title: 'There is no such session, or it has ended.',
});
export const tooManyFailures = defineError({
  code: 'auth.too_many_failures',
  status: 429,
  title: 'Too many attempts failed; wait as long as Retry-After says.',
});
export const mfaTokenInvalid = defineError({
  code: 'auth.mfa_token_invalid',
  status: 401,
  title: 'This login cannot be finished any more; log in again.',
});
export const mfaCodeInvalid = defineError({
  code: 'auth.mfa_code_invalid',
  status: 401,
  title: 'This code is not right or was used before.',
});
export const secondFactorRequired = defineError({
  code: 'auth.second_factor_required',
  status: 401,
  title: 'This account has a second factor; send a code of it.',
});
export const passwordWrong = defineError({
  code: 'auth.password_wrong',
  status: 401,
  title: 'The current password is not right.',
});
export const linkInvalid = defineError({
  code: 'auth.link_invalid',
  status: 422,
  title: 'This link was used before, is too old, or is not for this account; ask for a new one.',
});
export const emailTaken = defineError({
  code: 'auth.email_taken',
  status: 409,
  title: 'Another account has verified this e-mail address.',
});
export const emailUnchanged = defineError({
  code: 'auth.email_unchanged',
  status: 422,
  title: 'This is the e-mail address of the account already.',
});
export const challengeRequired = defineError({
  code: 'auth.challenge_required',
  status: 403,
  title: 'Solve the challenge first, and send its answer as challenge_response.',
});
export const challengeFailed = defineError({
  code: 'auth.challenge_failed',
  status: 403,
  title: 'This answer to the challenge is not right or was used before; solve a new one.',
});
