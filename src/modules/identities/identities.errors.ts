import { defineError } from '../../shared/errors.ts';

export const providerNotConfigured = defineError({
  code: 'identities.provider_not_configured',
  status: 404,
  title: 'This provider is not offered here; see GET /v1/auth/oauth/providers.',
});
export const returnUrlRefused = defineError({
  code: 'identities.return_url_refused',
  status: 422,
  title: 'This return address is not on the list of the service.',
});
export const flowInvalid = defineError({
  code: 'identities.flow_invalid',
  status: 400,
  title: 'This login was not begun in this browser, or it is over; begin again.',
});
export const handoffInvalid = defineError({
  code: 'identities.handoff_invalid',
  status: 401,
  title: 'This login cannot be finished any more, or not by this client; begin again.',
});
export const codeRefused = defineError({
  code: 'identities.code_refused',
  status: 401,
  title: 'The provider did not confirm this login; begin again.',
});
export const providerUnavailable = defineError({
  code: 'identities.provider_unavailable',
  status: 503,
  title: 'The provider cannot be reached just now; begin again in a moment.',
});
export const providerAnswerInvalid = defineError({
  code: 'identities.provider_answer_invalid',
  status: 502,
  title: 'What the provider answered cannot be trusted, so nobody was logged in; begin again.',
});
export const registrationInvalid = defineError({
  code: 'identities.registration_invalid',
  status: 401,
  title: 'This registration cannot be finished any more; log in with the provider again.',
});
export const emailRequired = defineError({
  code: 'identities.email_required',
  status: 422,
  title: 'The provider gave no e-mail address; send one.',
});
export const loginToLink = defineError({
  code: 'identities.login_to_link',
  status: 409,
  title: 'An account with this e-mail address exists; log in to it and link the provider there.',
});
export const identityTaken = defineError({
  code: 'identities.linked_elsewhere',
  status: 409,
  title: 'This login of the provider belongs to another account.',
});
export const providerAlreadyLinked = defineError({
  code: 'identities.provider_already_linked',
  status: 409,
  title: 'Another login of this provider is linked already; unlink it first.',
});
export const identityNotFound = defineError({
  code: 'identities.not_found',
  status: 404,
  title: 'There is no such linked login.',
});
export const lastSignIn = defineError({
  code: 'identities.last_sign_in',
  status: 409,
  title: 'This is the only way to log in to the account; set a password or add a passkey first.',
});
export const otherIdentity = defineError({
  code: 'identities.other_identity',
  status: 401,
  title: 'That login of the provider is not linked to this account.',
});
export const strongerMethod = defineError({
  code: 'identities.stronger_method_required',
  status: 409,
  title: 'This account has a password or a second factor; confirm with that at POST /v1/auth/step-up.',
});
export const noFreshLogin = defineError({
  code: 'identities.no_fresh_login',
  status: 409,
  title:
    'This provider does not tell when you logged in there; log in again and add a passkey, or set a password by POST /v1/auth/password-reset.',
});
export const signedRequestInvalid = defineError({
  code: 'identities.signed_request_invalid',
  status: 401,
  title: 'This request is not signed by the provider.',
});
