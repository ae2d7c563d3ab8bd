import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { testEventType, type WebhookEventType, webhookEvents } from './policy/event-types.ts';

type SentEventType = WebhookEventType | typeof testEventType;

const testEvent = {
  doc: 'The test button of an endpoint was pressed. Nobody subscribes to it.',
  data: z.strictObject({ endpoint_id: z.string().openapi({ example: 'whe_01jng6r1tn7qavpmv6x4qfjsyc' }) }),
};

/** `video.published` as `VideoPublished`. */
const nameOf = (type: string): string =>
  type.replace(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The whole payload of each type (Standard Webhooks 1.0.0, "Payload structure"). Bodies are made by it, and described by it. */
const payloads = Object.entries({ ...webhookEvents, [testEventType]: testEvent }).map(
  ([type, { doc, data }]) => ({
    type,
    doc,
    schema: z
      .strictObject({
        type: z.literal(type),
        timestamp: z.iso.datetime().openapi({ description: 'When it happened.' }),
        data,
      })
      .openapi(`${nameOf(type)}Webhook`),
  }),
);

const schemas = new Map<string, z.ZodType>(payloads.map(({ type, schema }) => [type, schema]));

/**
 * The body of a webhook.
 * @param occurredAt RFC 3339, in UTC.
 * @throws ZodError when it is not what the API reference promises.
 */
export const webhookBody = (type: SentEventType, occurredAt: string, data: unknown): string =>
  JSON.stringify(schemas.get(type)?.parse({ type, timestamp: occurredAt, data }));

const headers = z.object({
  'webhook-id': z.string().openapi({
    description: 'The same whenever the same event comes again.',
    example: 'evt_01jng6r1tn7qavpmv6x4qfjsyc',
  }),
  'webhook-timestamp': z
    .string()
    .openapi({ description: 'Of this attempt, in Unix seconds.', example: '1790000000' }),
  'webhook-signature': z.string().openapi({
    description: 'One or two of `v1,<base64 of HMAC-SHA-256 over id.timestamp.body>`, separated by a space.',
    example: 'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  }),
});

/** Describes what is sent to creators' endpoints in the `webhooks` of the OpenAPI document. */
export function describeWebhooks({ openAPIRegistry }: Pick<OpenAPIHono, 'openAPIRegistry'>): void {
  for (const { type, doc, schema } of payloads)
    openAPIRegistry.registerWebhook({
      method: 'post',
      path: type,
      operationId: `on${nameOf(type)}`,
      summary: doc,
      tags: ['Webhooks to creators'],
      security: [],
      request: { headers, body: { required: true, content: { 'application/json': { schema } } } },
      responses: {
        '2XX': { description: 'Taken. Anything else, or no answer in time, has it sent again.' },
        410: { description: 'The endpoint is disabled: nothing is sent to it any more.' },
      },
    });
}
