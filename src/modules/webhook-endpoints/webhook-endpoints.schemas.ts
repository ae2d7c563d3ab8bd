import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { plainText } from '../../shared/text.ts';
import { webhookEventTypes } from './policy/event-types.ts';

/** How long both secrets sign after a rotation, at most and unless told. */
export const maxOverlapSeconds = 604_800;
const defaultOverlapSeconds = 86_400;

const urlSchema = z.string().min(1).max(2_048).openapi({
  description: 'Where events are posted: https, on a public address.',
  example: 'https://example.com/hooks/social-flow',
});

const distinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

const eventTypesSchema = z
  .array(z.enum(webhookEventTypes))
  .min(1)
  .max(webhookEventTypes.length)
  .refine(distinct, 'must not repeat')
  .nullable()
  .openapi({ description: 'Which events are sent; null: all, also those that come later.' });

const descriptionSchema = plainText({ min: 0, max: 200 });

export const createEndpointBody = z
  .strictObject({
    url: urlSchema,
    event_types: eventTypesSchema.default(null),
    description: descriptionSchema.default(''),
  })
  .openapi('CreateWebhookEndpoint');

export const updateEndpointBody = z
  .strictObject({
    url: urlSchema.optional(),
    event_types: eventTypesSchema.optional(),
    description: descriptionSchema.optional(),
    enabled: z.boolean().optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'must change something')
  .openapi('UpdateWebhookEndpoint');

export const rotateSecretBody = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(maxOverlapSeconds).default(defaultOverlapSeconds).openapi({
      description: 'How long the old secret signs beside the new one; 0 when it is in wrong hands.',
    }),
  })
  .openapi('RotateWebhookSecret');

export const endpointParams = z.strictObject({ endpoint_id: idSchema('webhookEndpoint') });

const instant = z.iso.datetime();

export const endpointSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    event_types: z.array(z.string()).nullable(),
    description: z.string(),
    enabled: z.boolean(),
    disabled_reason: z.enum(['owner', 'gone', 'failing']).nullable().openapi({
      description: '`gone`: it answered 410. `failing`: nothing arrived for days.',
    }),
    disabled_at: instant.nullable(),
    failing_since: instant.nullable().openapi({ description: 'Null while the last attempt succeeded.' }),
    old_secret_expires_at: instant
      .nullable()
      .openapi({ description: 'Until when the secret before this one signs, too.' }),
    created_at: instant,
    updated_at: instant,
  })
  .openapi('WebhookEndpoint');

export const endpointWithSecretSchema = z
  .object({
    endpoint: endpointSchema,
    secret: z.string().openapi({
      description: 'What signatures are verified with (Standard Webhooks). Never shown again.',
      example: 'whsec_...',
    }),
  })
  .openapi('WebhookEndpointWithSecret');

export const endpointListSchema = z
  .object({
    data: z.array(endpointSchema),
    next_cursor: z.null().openapi({ description: 'Always null: all endpoints are on one page.' }),
  })
  .openapi('WebhookEndpointList');
