import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

/** Why access ended; of sessions, `sessions.revoked_reason` has it. `roles_changed` ends access tokens and no session. */
export const endReasons = [
  'logout',
  'logout_all',
  'refresh_reuse',
  'password_change',
  'disabled',
  'admin',
  'limit',
  'password_reset',
  'deleted',
  'roles_changed',
] as const;

export type EndReason = (typeof endReasons)[number];

export const authMessages = [
  /** Sessions ended, or with an `epoch` all tokens below it: whoever leases access must hear of it. */
  defineMessage(
    'user.access_ended',
    z.strictObject({
      user_id: z.uuid(),
      session_ids: z.array(z.uuid()),
      epoch: z.int().nonnegative().nullable(),
      reason: z.enum(endReasons),
      ended_at: z.iso.datetime(),
    }),
  ),
  /** A login from a device or country none of the user's earlier sessions had. */
  defineMessage(
    'session.started_on_new_device',
    z.strictObject({
      user_id: z.uuid(),
      session_id: z.uuid(),
      device_name: z.string(),
      country: z.string().nullable(),
      started_at: z.iso.datetime(),
    }),
  ),
  /** A mail with a single-use link was asked for. The token is made when it is sent. */
  defineMessage('account.token_mail_requested', z.strictObject({ token_id: z.uuid() })),
  /**
   * Somebody said they forgot the password of an account, which may not exist: whether it does is only looked up when this is
   * handled, so the request that wrote it took the same time either way.
   */
  defineMessage(
    'account.password_reset_requested',
    z.strictObject({ identifier: z.string().min(1).max(254), requested_at: z.iso.datetime() }),
  ),
] as const;
