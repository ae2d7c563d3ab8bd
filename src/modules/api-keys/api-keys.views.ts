import type { z } from '@hono/zod-openapi';
import { encodeId } from '../../shared/ids.ts';
import type { ApiKeyRow } from './api-keys.repository.ts';
import type { apiKeySchema } from './api-keys.schemas.ts';

/** A key as its owner sees it. */
export const presentApiKey = (row: ApiKeyRow): z.infer<typeof apiKeySchema> => ({
  id: encodeId('apiKey', row.id),
  name: row.name,
  hint: row.hint,
  scopes: row.scopes,
  networks: row.networks,
  created_at: row.createdAt,
  expires_at: row.expiresAt,
  last_used_at: row.lastUsedAt,
  last_used_country: row.lastUsedCountry,
});
