export { webhookDeliveriesRoutes } from './deliveries.routes.ts';
export { describeWebhooks } from './payloads.schemas.ts';
export { handOutDeliveries } from './usecases/deliver-due.ts';
export { notifyCreator } from './usecases/notify-creator.ts';
export { expireWebhookLog } from './usecases/read-log.ts';
export { webhookEndpointHandlers } from './webhook-endpoints.handlers.ts';
export { webhookEndpointsRoutes } from './webhook-endpoints.routes.ts';
export { webhookAttempts, webhookDeliveries, webhookEndpoints } from './webhook-endpoints.table.ts';
