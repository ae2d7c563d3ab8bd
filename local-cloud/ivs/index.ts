export type { IvsOptions, RecordingStore } from './ports.ts';
export { type Ivs, startIvs } from './service.ts';
