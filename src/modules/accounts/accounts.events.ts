import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

export const accountMessages = [
  // The account was closed: whatever access is left must end.
  defineMessage('account.closed', z.strictObject({ user_id: z.uuid() })),
  defineMessage('account.export_requested', z.strictObject({ export_id: z.uuid(), user_id: z.uuid() })),
] as const;
