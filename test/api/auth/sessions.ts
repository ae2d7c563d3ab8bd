import { formatRefreshToken } from '../../../src/modules/auth/policy/refresh-token.ts';
import { randomBytes, sha256 } from '../../../src/shared/crypto.ts';
import { hex } from '../../../src/shared/encoding.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { sqlRows } from '../../support/worker/client.ts';

/** Gives a seeded session its first refresh token, as a login would. */
export async function seedRefreshToken(sessionUuid: string): Promise<string> {
  const token = formatRefreshToken(randomBytes(32));
  await sqlRows(
    `INSERT INTO refresh_tokens (id, session_id, token_hash, generation, expires_at)
     VALUES ($1, $2, decode($3, 'hex'), 0, now() + interval '7 days')`,
    [randomIds.next(), sessionUuid, hex(await sha256(token))],
  );
  return token;
}
