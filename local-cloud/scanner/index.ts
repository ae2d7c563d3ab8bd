import { locateClamAv } from './clamav.ts';
import { eicarEngine } from './eicar.ts';
import type { ScanEngine } from './engine.ts';

export type { ScanEngine } from './engine.ts';
export { createScanner, type Scanner } from './scanner.ts';

/** ClamAV when it is installed and has its virus database, else the engine that knows the EICAR test file. */
export const locateEngine = async (): Promise<ScanEngine> => (await locateClamAv()) ?? eicarEngine;
