export { createEventBus } from './bus.ts';
export type { ApiDestination, Chaos, EventBridgeEvent, EventBus, EventBusOptions } from './types.ts';
