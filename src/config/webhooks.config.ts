import { integer } from './fields.ts';
import { defineSection } from './section.ts';

export const webhooksSection = defineSection('Webhooks to creators', {
  attemptTimeoutMs: {
    env: 'WEBHOOK_ATTEMPT_TIMEOUT_MS',
    schema: integer(100, 30_000),
    default: '15000',
    unit: 'milliseconds',
    doc: 'An endpoint that has not answered in this time has failed.',
  },
  disableAfterSeconds: {
    env: 'WEBHOOK_DISABLE_AFTER_SECONDS',
    schema: integer(3_600, 2_592_000),
    default: '432000',
    unit: 'seconds',
    doc: 'An endpoint at which nothing has arrived for this long is disabled, and its owner told.',
  },
  logRetentionDays: {
    env: 'WEBHOOK_LOG_RETENTION_DAYS',
    schema: integer(1, 365),
    default: '30',
    unit: 'days',
    doc: 'How long deliveries and their attempts are kept.',
  },
});
