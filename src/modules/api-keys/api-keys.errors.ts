import { defineError } from '../../shared/errors.ts';

export const apiKeyNotFound = defineError({
  code: 'api_keys.not_found',
  status: 404,
  title: 'There is no such API key, or it was revoked.',
});
export const tooManyApiKeys = defineError({
  code: 'api_keys.too_many',
  status: 409,
  title: 'This account has as many API keys as it may; revoke one first.',
});
