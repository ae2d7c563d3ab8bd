import { z } from 'zod';
import { boolean, integer } from './fields.ts';
import { defineSection } from './section.ts';

export const scanningSection = defineSection('Virus scan', {
  scanner: {
    env: 'UPLOAD_SCANNER',
    schema: z.enum(['guardduty', 'off']),
    default: 'guardduty',
    doc: 'Who looks through uploads before anything else does. `off` releases them unscanned.',
  },
  offAcknowledged: {
    env: 'UPLOAD_SCANNER_OFF_ACKNOWLEDGED',
    schema: boolean(),
    default: 'false',
    doc: 'Must be `true` for `UPLOAD_SCANNER=off` outside development.',
  },
  timeoutSeconds: {
    env: 'UPLOAD_SCAN_TIMEOUT_SECONDS',
    schema: integer(60, 86_400),
    default: '1800',
    unit: 'seconds',
    doc: 'A scan without a result for this long is asked for again.',
  },
  maxRequests: {
    env: 'UPLOAD_SCAN_MAX_REQUESTS',
    schema: integer(1, 10),
    default: '3',
    doc: 'Times a file is scanned or asked to be before its video fails.',
  },
  infectedFiles: {
    env: 'UPLOAD_INFECTED_FILES',
    schema: z.enum(['delete', 'hold']),
    default: 'delete',
    doc: 'What becomes of a file with a threat in it. `hold` leaves it in quarantine until its video is deleted.',
  },
  copyPartBytes: {
    env: 'UPLOAD_COPY_PART_BYTES',
    schema: integer(5_242_880, 5_368_709_120),
    default: '268435456',
    unit: 'bytes',
    doc: 'Files larger than this leave quarantine in pieces of this size, each within one call to S3.',
  },
});
