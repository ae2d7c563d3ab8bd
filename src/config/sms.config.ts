import { z } from 'zod';
import { baseUrl, integer, list } from './fields.ts';
import { defineSection } from './section.ts';

export const smsSection = defineSection('SMS', {
  apiUrl: {
    env: 'SMS_API_URL',
    schema: baseUrl(),
    default: 'https://api.twilio.com',
    doc: 'Address of the SMS service: Twilio, or one that speaks its Messages API.',
  },
  accountSid: {
    env: 'SMS_ACCOUNT_SID',
    schema: z.string().regex(/^(AC[0-9a-f]{32})?$/, 'must be an account SID, AC and 32 hex digits'),
    default: '',
    doc: 'Account of the SMS service. Empty: codes by SMS are not offered.',
  },
  authToken: {
    env: 'SMS_AUTH_TOKEN',
    schema: z.string().max(256),
    default: '',
    doc: 'Auth token of that account.',
    secret: true,
  },
  sender: {
    env: 'SMS_SENDER',
    schema: z
      .string()
      .regex(
        /^(\+[1-9]\d{6,14}|MG[0-9a-f]{32})?$/,
        'must be a number as +15005550006 or a messaging service SID',
      ),
    default: '',
    doc: 'Number in E.164 form, or messaging service SID, that messages come from.',
  },
  allowedPrefixes: {
    env: 'SMS_ALLOWED_PREFIXES',
    schema: list().pipe(z.array(z.string().regex(/^\+[1-9]\d{0,6}$/, 'must be prefixes as +44')).max(250)),
    default:
      '+1,+30,+31,+32,+33,+34,+351,+352,+353,+354,+358,+36,+39,+40,+41,+420,+43,+44,+45,+46,+47,+48,+49',
    doc: 'Prefixes of numbers that get codes. Numbers elsewhere are refused: messages to some countries earn money for whoever asks for them.',
  },
  dailyLimit: {
    env: 'SMS_DAILY_LIMIT',
    schema: integer(1, 1_000_000),
    default: '2000',
    unit: 'messages',
    doc: 'Messages a day to all numbers together; what an attack can cost at most.',
  },
  requestTimeoutMs: {
    env: 'SMS_REQUEST_TIMEOUT_MS',
    schema: integer(500, 30_000),
    default: '5000',
    unit: 'milliseconds',
    doc: 'Deadline of one call to the SMS service.',
  },
});
