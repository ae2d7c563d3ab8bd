import type { z } from '@hono/zod-openapi';
import { encodeId } from '../../shared/ids.ts';
import type { accountViewSchema, foundUserSchema, proposalSchema } from './admin.schemas.ts';
import type { ProposalRow } from './proposals.repository.ts';
import type { AccountViewRow, FoundUserRow } from './search.repository.ts';

type Status = z.infer<typeof foundUserSchema>['status'];

export const presentFoundUser = (row: FoundUserRow): z.infer<typeof foundUserSchema> => ({
  id: encodeId('user', row.id),
  username: row.username,
  display_name: row.displayName,
  status: row.status as Status,
  roles: row.roles,
  created_at: row.createdAt,
});

export const presentAccountView = (
  row: AccountViewRow,
  showsEmail: boolean,
): z.infer<typeof accountViewSchema> => ({
  ...presentFoundUser(row),
  email: showsEmail ? row.email : null,
  email_verified: row.emailVerified,
  has_password: row.hasPassword,
  factors: row.factors,
  identities: row.identities,
  open_sessions: row.openSessions,
  last_used_at: row.lastUsedAt,
  api_keys: row.apiKeys,
  suspension:
    row.suspensionReason === null || row.suspendedAt === null
      ? null
      : {
          reason: row.suspensionReason,
          suspended_by: row.suspendedBy === null ? null : encodeId('user', row.suspendedBy),
          suspended_at: row.suspendedAt,
          until: row.suspensionEndsAt,
        },
});

export const presentProposal = (row: ProposalRow): z.infer<typeof proposalSchema> => ({
  id: encodeId('adminProposal', row.id),
  user_id: encodeId('user', row.userId),
  username: row.username,
  proposed_by: encodeId('user', row.proposedBy),
  reason: row.reason,
  created_at: row.createdAt,
  expires_at: row.expiresAt,
});
