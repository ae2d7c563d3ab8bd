import { z } from 'zod';
import { defaultEncodePrices, encodePricesSchema } from './encode-prices.ts';
import { integer } from './fields.ts';
import { defineSection } from './section.ts';

const prices = () =>
  z
    .string()
    .max(2_000)
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON' });
        return z.NEVER;
      }
    })
    .pipe(encodePricesSchema);

export const encodingSection = defineSection('Encoding', {
  encodeMode: {
    env: 'ENCODE_MODE',
    schema: z.enum(['ladder', 'automated_abr']),
    default: 'ladder',
    doc: '`ladder` encodes our own sizes and bitrates; `automated_abr` leaves them to MediaConvert (several passes, professional tier).',
  },
  accelerateFromMinutes: {
    env: 'ENCODE_ACCELERATE_FROM_MINUTES',
    schema: integer(1, 100_000),
    default: '40',
    unit: 'normalized minutes of the largest output',
    doc: 'From here on a job is asked to be accelerated, which costs the professional tier.',
  },
  priorityMaxSeconds: {
    env: 'ENCODE_PRIORITY_MAX_SECONDS',
    schema: integer(0, 86_400),
    default: '300',
    unit: 'seconds',
    doc: 'Films up to this long and 1080p use the priority queue, if there is one.',
  },
  encodesPerOwner: {
    env: 'ENCODES_PER_OWNER',
    schema: integer(1, 1_000),
    default: '3',
    doc: 'Jobs of one owner that run at once; more wait in our own queue.',
  },
  encodesAtOnce: {
    env: 'ENCODES_AT_ONCE',
    schema: integer(1, 10_000),
    default: '200',
    doc: 'Jobs that run at once in all; keep it at what the MediaConvert queues take together.',
  },
  encodePrices: {
    env: 'ENCODE_PRICES',
    schema: prices(),
    default: JSON.stringify(defaultEncodePrices),
    unit: 'millionths of the currency for a minute, and factors',
    doc: 'Prices the cost of a job is told from; the form is described in `docs/encoding.md`.',
  },
});
