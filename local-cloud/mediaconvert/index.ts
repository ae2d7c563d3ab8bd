export { createMediaConvertHandler, type MediaConvertHandler } from './handler.ts';
export type { MediaConvertOptions, ObjectStore } from './ports.ts';
