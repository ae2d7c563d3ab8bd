import { defineError } from '../../shared/errors.ts';

export const endpointNotFound = defineError({
  code: 'webhooks.endpoint_not_found',
  status: 404,
  title: 'There is no such webhook endpoint.',
});
export const deliveryNotFound = defineError({
  code: 'webhooks.delivery_not_found',
  status: 404,
  title: 'There is no such delivery; they are kept for thirty days.',
});
export const tooManyEndpoints = defineError({
  code: 'webhooks.too_many_endpoints',
  status: 409,
  title: 'This account has as many webhook endpoints as it may; delete one first.',
});
export const endpointDisabled = defineError({
  code: 'webhooks.endpoint_disabled',
  status: 409,
  title: 'This endpoint is disabled; enable it first.',
});
