import { defineError } from '../../shared/errors.ts';

export const registrationInvalid = defineError({
  code: 'passkeys.registration_invalid',
  status: 422,
  title: 'This passkey could not be registered; start again.',
});
export const alreadyRegistered = defineError({
  code: 'passkeys.already_registered',
  status: 409,
  title: 'This passkey is registered already.',
});
export const tooManyPasskeys = defineError({
  code: 'passkeys.too_many',
  status: 409,
  title: 'There are as many passkeys as an account may have; remove one first.',
});
export const passkeyNotFound = defineError({
  code: 'passkeys.not_found',
  status: 404,
  title: 'There is no such passkey.',
});
export const lastWayIn = defineError({
  code: 'passkeys.last_way_in',
  status: 409,
  title:
    'Nobody could sign into this account without this passkey; set a password, link a provider or add another passkey first.',
});
export const assertionInvalid = defineError({
  code: 'passkeys.assertion_invalid',
  status: 401,
  title: 'This passkey was not accepted; start again.',
});
