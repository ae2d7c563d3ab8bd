import { z } from '@hono/zod-openapi';
import { pageBody, pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { roles } from '../../http/roles.ts';
import { plainText } from '../../shared/text.ts';
import { emailSchema } from '../users/index.ts';
import { changeableRoles } from './admin.policy.ts';

const statuses = ['active', 'suspended', 'deactivated', 'deleted'] as const;
const reasonSchema = plainText({ min: 1, max: 500, multiline: true }).openapi({
  description: 'Kept in the audit log.',
});
const maxSuspensionMs = 10 * 366 * 86_400_000;

export const searchUsersBody = pageBody
  .extend({
    id: idSchema('user').optional(),
    username: z
      .string()
      .regex(/^[A-Za-z0-9_]{1,30}$/, 'must be 1 to 30 letters, digits or underscores')
      .optional()
      .openapi({ description: 'The beginning of the username.' }),
    email: emailSchema
      .optional()
      .openapi({ description: 'The whole verified address. Administrators only.' }),
    status: z.enum(statuses).optional(),
    role: z
      .enum(roles)
      .exclude(['user'])
      .optional()
      .openapi({ description: 'A role beyond the one everybody has.' }),
  })
  .openapi('SearchUsers');

export const targetParams = z.strictObject({ user_id: idSchema('user') });
export const roleParams = z.strictObject({
  user_id: idSchema('user'),
  role: z.enum(changeableRoles).openapi({ param: { name: 'role', in: 'path' } }),
});
export const proposalParams = z.strictObject({ proposal_id: idSchema('adminProposal') });

export const suspendBody = z
  .strictObject({
    reason: reasonSchema.openapi({
      description: 'Told to the owner of the account and kept in the audit log.',
    }),
    until: z.iso
      .datetime()
      .transform((text) => new Date(text).toISOString())
      .refine((text) => Date.parse(text) > Date.now(), 'must be in the future')
      .refine((text) => Date.parse(text) < Date.now() + maxSuspensionMs, 'must be within ten years')
      .optional()
      .openapi({ type: 'string', format: 'date-time', description: 'Left out: until it is lifted.' }),
  })
  .openapi('SuspendUser');

export const unsuspendBody = z.strictObject({ reason: reasonSchema }).openapi('UnsuspendUser');

export const clearBirthDateBody = z.strictObject({ reason: reasonSchema }).openapi('ClearBirthDate');

export const proposeAdminBody = z
  .strictObject({ user_id: idSchema('user'), reason: reasonSchema })
  .openapi('ProposeAdmin');

const foundUserFields = {
  id: z.string(),
  username: z.string(),
  display_name: z.string(),
  status: z.enum(statuses),
  roles: z.array(z.string()),
  created_at: z.iso.datetime(),
};

export const foundUserSchema = z.object(foundUserFields).openapi('FoundUser');
export const foundUsersSchema = pageOf(foundUserSchema).openapi('FoundUsers');

export const accountViewSchema = z
  .object({
    ...foundUserFields,
    email: z.string().nullable().openapi({ description: 'Null for moderators.' }),
    email_verified: z.boolean(),
    has_password: z.boolean(),
    factors: z.array(z.string()).openapi({ description: 'Kinds of second factor that are set up.' }),
    identities: z.array(z.string()).openapi({ description: 'Providers the account can be signed into by.' }),
    open_sessions: z.int(),
    last_used_at: z.iso.datetime().nullable(),
    api_keys: z.int(),
    suspension: z
      .object({
        reason: z.string(),
        suspended_by: z.string().nullable(),
        suspended_at: z.iso.datetime(),
        until: z.iso.datetime().nullable(),
      })
      .nullable(),
  })
  .openapi('AccountView');

export const proposalSchema = z
  .object({
    id: z.string(),
    user_id: z.string(),
    username: z.string(),
    proposed_by: z.string(),
    reason: z.string(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
  })
  .openapi('AdminProposal');

export const proposalListSchema = z
  .object({
    data: z.array(proposalSchema),
    next_cursor: z.null().openapi({ description: 'Always null: all open proposals are on one page.' }),
  })
  .openapi('AdminProposalList');
