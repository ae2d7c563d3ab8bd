import { z } from '@hono/zod-openapi';
import { pageOf } from '../../http/pagination.ts';
import { securityEventTypes } from './security-events.policy.ts';

export const securityEventSchema = z
  .strictObject({
    id: z.string(),
    type: z.enum(securityEventTypes),
    occurred_at: z.iso.datetime(),
    actor: z.enum(['you', 'staff', 'system', 'unknown']).openapi({
      description: '`unknown` is somebody who was not signed in, such as after a wrong password.',
    }),
    device_name: z.string().nullable().openapi({
      description: 'As the client called itself, which proves nothing. Null after 180 days.',
      example: 'Firefox on Linux',
    }),
    country: z
      .string()
      .nullable()
      .openapi({ example: 'NL', description: 'ISO 3166-1 code, from the address.' }),
  })
  .openapi('SecurityEvent');

export const securityEventPage = pageOf(securityEventSchema).openapi('SecurityEventPage');

export const securityEventPositionSchema = z.strictObject({
  at: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/),
  id: z.uuid(),
});

export type SecurityEventPosition = z.infer<typeof securityEventPositionSchema>;
