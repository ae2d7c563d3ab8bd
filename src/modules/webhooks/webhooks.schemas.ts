import { z } from '@hono/zod-openapi';

/**
 * The envelope of an EventBridge event; AWS may add fields.
 * https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
 */
export const eventBridgeEvent = z.looseObject({
  id: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable characters'),
  'detail-type': z.string().min(1).max(128),
  source: z.string().min(1).max(256),
  time: z.iso.datetime({ offset: true }),
  resources: z.array(z.string().max(2_048)).max(100).optional(),
  detail: z.record(z.string(), z.unknown()),
});

export type EventBridgeEvent = z.output<typeof eventBridgeEvent>;

/** Checked by the handler, once the sender has proved itself; here only for the API description. */
export const eventBridgeBody = z.looseObject({}).openapi('EventBridgeEvent', {
  type: 'object',
  required: ['id', 'detail-type', 'source', 'time', 'detail'],
  properties: {
    id: { type: 'string' },
    'detail-type': { type: 'string', example: 'MediaConvert Job State Change' },
    source: { type: 'string', example: 'aws.mediaconvert' },
    time: { type: 'string', format: 'date-time' },
    detail: { type: 'object' },
  },
});

export const webhookHeaders = z.looseObject({
  'x-api-key': z.string().optional().openapi({ description: 'The secret of the API destination.' }),
});

export const webhookAnswer = z
  .object({
    accepted: z.boolean().openapi({ description: 'False for kinds of events nobody here waits for.' }),
    duplicate: z.boolean().openapi({ description: 'True when this event id was taken in before.' }),
  })
  .openapi('WebhookAnswer');
