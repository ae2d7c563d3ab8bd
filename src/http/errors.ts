import { defineError } from '../shared/errors.ts';

export const notFound = defineError({
  code: 'http.not_found',
  status: 404,
  title: 'There is nothing at this address.',
});
export const methodNotAllowed = defineError({
  code: 'http.method_not_allowed',
  status: 405,
  title: 'This address does not take that method; see the Allow header.',
});
export const plainHttp = defineError({
  code: 'http.https_required',
  status: 403,
  title:
    'Use https. What was sent here could be read on its way: end the session or replace the key if it held one.',
});
export const malformedJson = defineError({
  code: 'request.malformed_json',
  status: 400,
  title: 'The body is not valid JSON.',
});
export const invalidRequest = defineError({
  code: 'request.invalid',
  status: 422,
  title: 'Some fields are not valid; each is listed under errors.',
});
export const invalidParameters = defineError({
  code: 'request.invalid_parameters',
  status: 400,
  title: 'Some parameters are not valid; each is listed under errors.',
});
export const duplicateParameter = defineError({
  code: 'request.duplicate_parameter',
  status: 400,
  title: 'A query parameter was given more than once.',
});
export const tokenInAddress = defineError({
  code: 'request.token_in_address',
  status: 400,
  title: 'Secrets are not accepted in addresses, which end up in logs; send them as the documentation says.',
});
export const bodyTooLarge = defineError({
  code: 'request.body_too_large',
  status: 413,
  title: 'The body is too large.',
});
export const unsupportedMediaType = defineError({
  code: 'request.unsupported_media_type',
  status: 415,
  title: 'Send the body as application/json in UTF-8, without a content encoding.',
});
export const invalidCursor = defineError({
  code: 'request.invalid_cursor',
  status: 400,
  title: 'The cursor is not one this list gave out; start again without it.',
});
export const unauthenticated = defineError({
  code: 'auth.unauthenticated',
  status: 401,
  title: 'Send a valid access token: Authorization: Bearer <token>.',
});
export const stepUpRequired = defineError({
  code: 'auth.step_up_required',
  status: 401,
  title: 'Confirm that it is you first: POST /v1/auth/step-up, then repeat with the new access token.',
});
export const ticketInvalid = defineError({
  code: 'realtime.ticket_invalid',
  status: 401,
  title: 'This ticket was used, is over, or is for something else; ask for another.',
});
export const csrfHeaderMissing = defineError({
  code: 'csrf.header_missing',
  status: 403,
  title: 'A request that changes something by cookie needs the header X-Auth-Mode: cookie.',
});
export const csrfOriginMissing = defineError({
  code: 'csrf.origin_missing',
  status: 403,
  title: 'A request by cookie must name the origin of its page.',
});
export const csrfOriginRefused = defineError({
  code: 'csrf.origin_refused',
  status: 403,
  title: 'Pages of this origin may not use cookies here.',
});
export const csrfCrossSite = defineError({
  code: 'csrf.cross_site',
  status: 403,
  title: 'Cookies work for pages of the same site only; use tokens, or serve the app from the same site.',
});
export const forbidden = defineError({
  code: 'auth.forbidden',
  status: 403,
  title: 'This account may not do that.',
});
export const staffSecondFactorRequired = defineError({
  code: 'admin.second_factor_required',
  status: 403,
  title: 'Set up a second factor first: who moderates or administers must have one.',
});
export const insufficientScope = defineError({
  code: 'auth.insufficient_scope',
  status: 403,
  title: 'This API key was not granted what this needs; WWW-Authenticate names the scope.',
});
export const apiKeyRefused = defineError({
  code: 'auth.api_key_refused',
  status: 403,
  title: 'No API key may do this; use an access token of a session.',
});
export const rateLimited = defineError({
  code: 'rate_limit.exceeded',
  status: 429,
  title: 'Too many requests; wait as long as Retry-After says.',
});
export const unavailable = defineError({
  code: 'service.unavailable',
  status: 503,
  title: 'A part of the service is not reachable just now; try again shortly.',
});
export const idempotencyMismatch = defineError({
  code: 'idempotency.key_reused',
  status: 422,
  title: 'This Idempotency-Key was used for a different request; use a new key.',
});
export const idempotencyRunning = defineError({
  code: 'idempotency.in_progress',
  status: 409,
  title: 'The first request with this Idempotency-Key is still running; try again shortly.',
});
export const idempotencyKeyInvalid = defineError({
  code: 'idempotency.key_invalid',
  status: 400,
  title: 'Idempotency-Key must be 1 to 255 printable characters.',
});
