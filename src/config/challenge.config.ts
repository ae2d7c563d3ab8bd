import { z } from 'zod';
import { boolean, list } from './fields.ts';
import { defineSection } from './section.ts';

export const challengeSection = defineSection('Challenges', {
  siteKey: {
    env: 'TURNSTILE_SITE_KEY',
    schema: z.string().max(100),
    default: '',
    doc: 'Cloudflare Turnstile site key that clients are told. Empty, with `TURNSTILE_SECRET` empty: no challenges; failed logins are only slowed down.',
  },
  secret: {
    env: 'TURNSTILE_SECRET',
    schema: z.string().max(100),
    default: '',
    doc: 'Cloudflare Turnstile secret of that site.',
    secret: true,
  },
  hostnames: {
    env: 'TURNSTILE_HOSTNAMES',
    schema: list(),
    default: '',
    doc: 'Hostnames on which challenges of ours are solved, comma-separated. Empty: any; refused in production when challenges are on.',
  },
  atRegistration: {
    env: 'CHALLENGE_AT_REGISTRATION',
    schema: boolean(),
    default: 'false',
    doc: 'Whether every registration needs a challenge. If not, only those while logins fail unusually often.',
  },
  verifyUrl: {
    env: 'TURNSTILE_VERIFY_URL',
    schema: z.url({ protocol: /^https?$/ }),
    default: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
    doc: 'Where answers are verified.',
  },
});
