import { z } from '@hono/zod-openapi';

export const connectQuery = z.strictObject({
  after: z
    .string()
    .regex(/^(0|[1-9]\d{0,14})$/, 'must be a sequence number')
    .optional()
    .openapi({
      description:
        '`seq` of the last event the client has. Events after it are sent first; when they are gone, `{"type":"resync"}`.',
    }),
});

export const ticketBody = z
  .strictObject({
    purpose: z
      .enum(['realtime', 'chat'])
      .optional()
      .openapi({ description: 'What it opens; it opens nothing else.', default: 'realtime' }),
  })
  .openapi('CreateTicket');

export const ticketSchema = z
  .object({
    ticket: z.string(),
    expires_in: z.int().openapi({ description: 'Seconds within which it must be used.' }),
  })
  .openapi('Ticket');
