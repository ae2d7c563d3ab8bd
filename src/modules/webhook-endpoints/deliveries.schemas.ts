import { z } from '@hono/zod-openapi';
import { pageOf, pageQuery } from '../../http/pagination.ts';
import { idSchema } from '../../http/params.ts';
import { testEventType, webhookEventTypes } from './policy/event-types.ts';

export const deliveryStates = ['waiting', 'succeeded', 'failed'] as const;

export const deliveryParams = z.strictObject({
  endpoint_id: idSchema('webhookEndpoint'),
  delivery_id: idSchema('webhookDelivery'),
});

export const deliveriesQuery = pageQuery.extend({
  state: z.enum(deliveryStates).optional(),
  type: z.enum([...webhookEventTypes, testEventType]).optional(),
});

export const deliveryPositionSchema = z.uuid();

const maxReplaySpanMs = 30 * 86_400_000;

export const replayFailedBody = z
  .strictObject({
    since: z.iso
      .datetime({ offset: true })
      .refine(
        (text) => Math.abs(Date.parse(text) - Date.now()) < maxReplaySpanMs,
        'must be within the last thirty days',
      )
      .openapi({ description: 'Deliveries of this moment and later, that failed, are sent again.' }),
  })
  .openapi('ReplayFailedWebhooks');

export const replayedSchema = z
  .object({
    replayed: z.int().openapi({ description: 'How many are on their way now, the oldest first.' }),
    more: z.boolean().openapi({ description: 'Whether there are more; call again.' }),
  })
  .openapi('ReplayedWebhooks');

const instant = z.iso.datetime();

const deliveryFields = {
  id: z.string(),
  endpoint_id: z.string(),
  event_id: z.string().openapi({
    description: 'The `webhook-id` of every attempt.',
    example: 'evt_01jng6r1tn7qavpmv6x4qfjsyc',
  }),
  type: z.string(),
  state: z.enum(deliveryStates),
  failure_reason: z.enum(['exhausted', 'endpoint_disabled', 'gone']).nullable().openapi({
    description:
      '`exhausted`: no attempt is left. `endpoint_disabled`: before one succeeded. `gone`: it answered 410.',
  }),
  attempts: z.int().openapi({ description: 'Since it was made or last replayed.' }),
  last_status: z.int().nullable(),
  last_error: z.string().nullable(),
  next_attempt_at: instant.nullable(),
  created_at: instant,
  finished_at: instant.nullable(),
};

export const deliverySchema = z.object(deliveryFields).openapi('WebhookDelivery');

export const deliveryDetailSchema = z
  .object({
    ...deliveryFields,
    payload: z.record(z.string(), z.unknown()).openapi({ description: 'The body, as it is sent.' }),
    attempt_log: z
      .array(
        z.object({
          started_at: instant,
          duration_ms: z.int(),
          status: z.int().nullable().openapi({ description: 'Null: no answer.' }),
          error: z
            .string()
            .nullable()
            .openapi({ description: 'Why there was no answer.', example: 'timeout' }),
          response_excerpt: z.string().openapi({ description: 'The first kilobyte of the answer.' }),
        }),
      )
      .openapi({ description: 'The newest fifty, newest first.' }),
  })
  .openapi('WebhookDeliveryDetail');

export const deliveryPageSchema = pageOf(deliverySchema).openapi('WebhookDeliveryPage');
