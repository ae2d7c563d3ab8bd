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
export const totpRequired = defineError({
  code: 'factors.totp_required',
  status: 409,
  title: 'Set an authenticator app up first: codes by SMS work beside one only.',
});
export const phoneRefused = defineError({
  code: 'factors.phone_refused',
  status: 422,
  title: 'No codes are sent to this number.',
});
export const phoneNotFound = defineError({
  code: 'factors.phone_not_found',
  status: 404,
  title: 'No phone number is set up.',
});
export const smsNotOffered = defineError({
  code: 'factors.sms_not_offered',
  status: 409,
  title: 'Codes by SMS are not offered here.',
});
export const smsNotSetUp = defineError({
  code: 'factors.sms_not_set_up',
  status: 409,
  title: 'This account gets no codes by SMS.',
});
export const smsLimited = defineError({
  code: 'factors.sms_limited',
  status: 429,
  title: 'Too many codes were sent; wait as long as Retry-After says, or use another factor.',
});
