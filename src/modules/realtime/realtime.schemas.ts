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
