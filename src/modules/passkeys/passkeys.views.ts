import type { z } from '@hono/zod-openapi';
import type { Config } from '../../config/index.ts';
import { base64Url, fromHex } from '../../shared/encoding.ts';
import { encodeId } from '../../shared/ids.ts';
import { algorithms } from './passkeys.policy.ts';
import type { DescriptorRow, PasskeyRow } from './passkeys.repository.ts';
import type { assertionOptionsSchema, passkeySchema, registrationOptionsSchema } from './passkeys.schemas.ts';
import type { RegistrationRequest } from './usecases/manage-passkeys.ts';
import type { AssertionRequest } from './usecases/sign-in.ts';

const unknownModel = '00000000-0000-0000-0000-000000000000';

/** A passkey as its owner sees it. */
export const presentPasskey = (row: PasskeyRow): z.infer<typeof passkeySchema> => ({
  id: encodeId('passkey', row.id),
  name: row.name,
  synced: row.backupEligible,
  backed_up: row.backedUp,
  transports: [...row.transports],
  aaguid: row.aaguid === unknownModel ? null : row.aaguid,
  created_at: row.createdAt,
  last_used_at: row.lastUsedAt,
});

const presentDescriptor = ({ credentialId, transports }: DescriptorRow) => ({
  type: 'public-key' as const,
  id: base64Url(fromHex(credentialId)),
  transports: [...transports],
});

export const presentRegistrationOptions = (
  request: RegistrationRequest,
  { rpId, rpName }: Config['passkeys'],
): z.infer<typeof registrationOptionsSchema> => ({
  challenge_token: request.challengeToken,
  expires_in: request.expiresInSeconds,
  public_key: {
    rp: { id: rpId, name: rpName },
    user: {
      id: request.userHandle,
      name: request.owner.username,
      displayName: request.owner.displayName,
    },
    challenge: request.challenge,
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
    timeout: request.expiresInSeconds * 1_000,
    excludeCredentials: request.owner.credentials.map(presentDescriptor),
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
    attestation: 'none',
  },
});

export const presentAssertionOptions = (
  request: AssertionRequest,
  { rpId }: Config['passkeys'],
): z.infer<typeof assertionOptionsSchema> => ({
  challenge_token: request.challengeToken,
  expires_in: request.expiresInSeconds,
  public_key: {
    challenge: request.challenge,
    timeout: request.expiresInSeconds * 1_000,
    rpId,
    allowCredentials: request.credentials.map(presentDescriptor),
    userVerification: 'required',
  },
});
