import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { userSummarySchema } from '../users/index.ts';

export const memberParams = z.strictObject({ user_id: idSchema('user') });

export const grantMembershipBody = z
  .strictObject({
    expires_at: z.iso
      .datetime()
      .max(40)
      .nullable()
      .optional()
      .openapi({ description: 'When it ends; left out or null, it lasts until it is taken away.' }),
  })
  .openapi('GrantMembership');

export const memberSchema = z
  .object({
    user: userSummarySchema,
    granted_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
  })
  .openapi('Member');

export const membershipSchema = z
  .object({ member: z.boolean(), expires_at: z.iso.datetime().nullable() })
  .openapi('Membership');

export const memberPageSchema = pageOf(memberSchema).openapi('MemberPage');

export const memberPositionSchema = z.strictObject({
  grantedAt: z.iso.datetime({ precision: 6 }),
  id: z.uuid(),
});

export type MemberPosition = z.output<typeof memberPositionSchema>;
