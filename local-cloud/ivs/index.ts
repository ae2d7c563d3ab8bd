export type { IvsOptions, RecordingStore } from './ports.ts';
export { type AccountPlan, makePlaybackKey, type ProvisionedAccount } from './provision.ts';
export { type Ivs, startIvs } from './service.ts';
