import { integer } from './fields.ts';
import { defineSection } from './section.ts';

export const historySection = defineSection('Watch history', {
  retentionDays: {
    env: 'HISTORY_RETENTION_DAYS',
    schema: integer(1, 3_650),
    default: '1080',
    unit: 'days',
    doc: 'How long an entry stays in the watch history of a user after the video was last watched.',
  },
});
