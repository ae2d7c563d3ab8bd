import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

/** What an account's owner is told about the account's safety, whoever did it (OWASP ASVS 5.0: 6.3.5, 6.3.7). */
export const securityNotices = [
  'new_device',
  'password_changed',
  'password_reset',
  'email_changed',
  'phone_changed',
  'factor_added',
  'factor_removed',
  'passkey_cloned',
  'backup_codes_replaced',
  'provider_linked',
  'provider_unlinked',
  'api_key_created',
  'username_changed',
  'roles_changed',
  'birth_date_cleared',
  'account_suspended',
  'account_unsuspended',
  'account_deactivated',
  'account_reactivated',
  'deletion_requested',
  'deletion_reminder',
  'deletion_cancelled',
  'export_ready',
  'webhook_endpoint_added',
  'webhook_endpoint_disabled',
] as const;

export type SecurityNotice = (typeof securityNotices)[number];

export const noticeMessages = [
  /**
   * Written in the statement that made the change. `detail` holds plain words for the text, such as a device name; never a
   * secret, since the mailbox that reads it may be in wrong hands. `email`: where to send it if not to the account's address,
   * such as the address an account had before.
   */
  defineMessage(
    'account.security_notice',
    z.strictObject({
      user_id: z.uuid(),
      notice: z.enum(securityNotices),
      detail: z.record(z.string(), z.string()),
      email: z.string().max(254).nullable(),
      occurred_at: z.iso.datetime(),
    }),
  ),
] as const;
