import { z } from 'zod';
import { defineMessage } from '../../jobs/message.ts';

export const webhookMessages = [
  // Something may be due for the endpoint. Sent past the outbox: what is due stands in the database, and a cron finds it too.
  defineMessage('webhooks.due', z.strictObject({ endpoint_id: z.uuid() })),
] as const;
