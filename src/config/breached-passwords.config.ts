import { z } from 'zod';
import { baseUrl, integer } from './fields.ts';
import { defineSection } from './section.ts';

export const breachedPasswordsSection = defineSection('Breached passwords', {
  baseUrl: {
    env: 'BREACHED_PASSWORDS_URL',
    schema: z.union([z.literal(''), baseUrl()]),
    default: 'https://api.pwnedpasswords.com',
    doc: 'Service that knows breached passwords, with the range API of Have I Been Pwned. Only the first five of forty hex digits of a SHA-1 are sent. Empty switches the check off, which is refused in staging and production.',
  },
  timeoutMs: {
    env: 'BREACHED_PASSWORDS_TIMEOUT_MS',
    schema: integer(100, 10_000),
    default: '1500',
    unit: 'milliseconds',
    doc: 'After this long without an answer a new password is taken without the check.',
  },
});
