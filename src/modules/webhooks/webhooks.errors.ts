import { defineError } from '../../shared/errors.ts';

export const webhookUnauthenticated = defineError({
  code: 'webhooks.unauthenticated',
  status: 401,
  title: 'The API key of this webhook is missing or wrong.',
});
