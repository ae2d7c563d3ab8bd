import { z } from '@hono/zod-openapi';
import { idSchema } from '../../http/params.ts';
import { apiKeyScopes } from '../../http/roles.ts';
import { plainText } from '../../shared/text.ts';
import { defaultLifeDays, maxLifeDays, maxNetworks, parseNetwork } from './api-keys.policy.ts';

const nameSchema = plainText({ min: 1, max: 50 });

const networkSchema = z
  .string()
  .max(50)
  .transform((text, context) => {
    const network = parseNetwork(text);
    if (network !== undefined) return network;
    context.addIssue({ code: 'custom', message: 'must be an address or a network such as 203.0.113.0/24' });
    return z.NEVER;
  })
  .openapi({ type: 'string', example: '203.0.113.0/24' });

const distinct = (values: readonly string[]): boolean => new Set(values).size === values.length;

export const createApiKeyBody = z
  .strictObject({
    name: nameSchema,
    scopes: z
      .array(z.enum(apiKeyScopes))
      .min(1)
      .max(apiKeyScopes.length)
      .refine(distinct, 'must not repeat')
      .openapi({
        description: 'All the key may do. `read` does not follow from `write`, nor the other way round.',
      }),
    expires_in_days: z.int().min(1).max(maxLifeDays).default(defaultLifeDays),
    networks: z
      .array(networkSchema)
      .max(maxNetworks)
      .refine(distinct, 'must not repeat')
      .default([])
      .openapi({ description: 'Where the key may be used from; empty: anywhere.' }),
  })
  .openapi('CreateApiKey');

export const renameApiKeyBody = z.strictObject({ name: nameSchema }).openapi('RenameApiKey');

export const apiKeyParams = z.strictObject({ key_id: idSchema('apiKey') });

export const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    hint: z.string().openapi({ description: 'The last four characters of the key.', example: 'tZhg' }),
    scopes: z.array(z.string()),
    networks: z.array(z.string()),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable().openapi({ description: 'To the minute.' }),
    last_used_country: z.string().nullable(),
  })
  .openapi('ApiKey');

export const newApiKeySchema = z
  .object({
    api_key: apiKeySchema,
    secret: z.string().openapi({
      description: 'The key itself, for `Authorization: Bearer`. Never shown again.',
      example: 'sfk_...',
    }),
  })
  .openapi('NewApiKey');

export const apiKeyListSchema = z
  .object({
    data: z.array(apiKeySchema),
    next_cursor: z.null().openapi({ description: 'Always null: all keys are on one page.' }),
  })
  .openapi('ApiKeyList');
