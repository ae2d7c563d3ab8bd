import type { z } from '@hono/zod-openapi';
import type { AppContext } from '../../http/env.ts';
import { encodeId } from '../../shared/ids.ts';
import { handOverSignedIn, type LoginResult, presentMfaRequired } from '../auth/index.ts';
import type { IdentityRow } from './identities.repository.ts';
import type { completedSchema, identitySchema } from './identities.schemas.ts';
import type { RegistrationRequired } from './usecases/sign-in.ts';

export const presentIdentity = (row: IdentityRow): z.infer<typeof identitySchema> => ({
  id: encodeId('identity', row.id),
  provider: row.provider,
  email: row.email,
  created_at: row.createdAt,
  last_used_at: row.lastUsedAt,
});

export function presentCompleted(
  c: AppContext,
  result: LoginResult | RegistrationRequired,
): z.infer<typeof completedSchema> {
  if (result.kind === 'signed_in') return handOverSignedIn(c, result);
  if (result.kind === 'mfa_required') return presentMfaRequired(result);
  return {
    registration_required: true,
    registration_token: result.registrationToken,
    expires_in: result.expiresInSeconds,
    provider: result.provider,
    suggested_username: result.suggestedUsername ?? null,
    display_name: result.displayName ?? null,
    email: result.email ?? null,
  };
}
