import { z } from 'zod';
import { decodeId } from '../ids.ts';

// Operators write the ids they see, `usr_...`; code compares UUIDs.
const userKey = z.string().transform((id, context) => {
  const uuid = decodeId('user', id);
  if (uuid !== undefined) return uuid;
  context.addIssue({ code: 'custom', message: 'must be a user id (usr_...)' });
  return z.NEVER;
});

const flagRule = z.strictObject({
  /** False switches the flag off for everyone without an override. */
  enabled: z.boolean().default(true),
  /** Share of users who get it, in steps of 0.01. */
  percent: z.number().min(0).max(100).default(100),
  /** Users for whom it is on or off whatever else is said. */
  users: z.record(userKey, z.boolean()).default({}),
});

/** The document under the key `flags` in KV. Flags it does not name keep their defaults; names nobody reads are ignored. */
export const flagDocument = z.record(z.string().max(64), flagRule);

export type FlagRule = z.output<typeof flagRule>;
export type FlagDocument = z.output<typeof flagDocument>;
