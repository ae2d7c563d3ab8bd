import { importPKCS8, SignJWT } from 'jose';
import type { OAuthConfig } from './providers.ts';

const lifeSeconds = 300;

/**
 * The client secret of Sign in with Apple: a JWT signed with ES256, made for each call instead of kept for its six months.
 * @see https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret
 */
export async function appleClientSecret(
  config: OAuthConfig,
  audience: string,
  nowSeconds: number,
): Promise<string> {
  const key = await importPKCS8(config.applePrivateKey.replaceAll('\\n', '\n'), 'ES256');
  return new SignJWT({
    iss: config.appleTeamId,
    sub: config.appleClientId,
    aud: audience,
    iat: nowSeconds,
    exp: nowSeconds + lifeSeconds,
  })
    .setProtectedHeader({ alg: 'ES256', kid: config.appleKeyId })
    .sign(key);
}
