import { z } from 'zod';
import { boolean } from './fields.ts';
import { defineSection } from './section.ts';

export const environments = ['development', 'test', 'staging', 'production'] as const;

export const appSection = defineSection('Application', {
  environment: {
    env: 'ENVIRONMENT',
    schema: z.enum(environments),
    default: 'development',
    doc: 'Which set of rules applies. `staging` and `production` refuse to start with unsafe settings.',
  },
  release: {
    env: 'RELEASE',
    schema: z.string().min(1).max(64),
    default: 'local',
    doc: 'Version shown by the health endpoints and written to every log line.',
  },
  debugErrors: {
    env: 'DEBUG_ERRORS',
    schema: boolean(),
    default: 'false',
    doc: 'Adds the stack of unknown errors to the log line (never to a response).',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    schema: z.enum(['debug', 'info', 'warn', 'error', 'silent']),
    default: 'info',
    doc: 'Least severe level that is written.',
  },
});
