export type { TripCounts } from './counts.ts';
export type { CloneSource, Template, TestDatabase } from './databases.ts';
export { TEST_DATABASE_PREFIX } from './databases.ts';
export type { FaultOrder } from './faults.ts';
export { type NeonBridge, type StartNeonBridgeOptions, startNeonBridge } from './server.ts';
