import { z } from 'zod';
import { baseUrl } from './fields.ts';
import { defineSection } from './section.ts';

export const emailSection = defineSection('E-mail', {
  fromAddress: {
    env: 'EMAIL_FROM_ADDRESS',
    schema: z.email().max(254),
    default: 'no-reply@social-flow.test',
    doc: 'Sender of all mails; an identity verified with Amazon SES.',
  },
  sesEndpoint: {
    env: 'SES_ENDPOINT',
    schema: z.union([z.literal(''), baseUrl()]),
    default: '',
    doc: 'Address of Amazon SES. Empty means the endpoint of `AWS_REGION`.',
  },
  appBaseUrl: {
    env: 'APP_BASE_URL',
    schema: baseUrl(),
    default: 'http://127.0.0.1:9003/app',
    doc: 'Address of the client app. Links in mails begin with it and carry their token in the fragment, which no server logs.',
  },
});
