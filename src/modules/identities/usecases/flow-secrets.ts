import type { RequestContext } from '../../../context.ts';
import type { FlowSecrets } from '../../../integrations/oauth/index.ts';
import type { Place } from '../../../shared/crypto/envelope.ts';
import { hmacSha256, randomBytes, sha256 } from '../../../shared/crypto.ts';
import { base64Url, hex } from '../../../shared/encoding.ts';

type SecretsContext = Pick<RequestContext, 'config'>;

/** 32 random bytes in base64url: a `state`, a handoff code, a registration token. */
export const newSecret = (): string => base64Url(randomBytes(32));

/** Whether a text can be one of `newSecret`. */
export const isSecret = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text);

/** The only form of a secret that is stored. */
export const secretHash = async (secret: string): Promise<string> => hex(await sha256(secret));

/** S256 of RFC 7636. */
export const challengeOf = async (verifier: string): Promise<string> => base64Url(await sha256(verifier));

/**
 * All secrets of a flow follow from its `state` by a key of ours, so none of them is stored: who reads the `state` can work none
 * of them out, nor redeem what the provider sends back without the client's verifier.
 */
export async function flowSecretsOf(
  { config }: SecretsContext,
  state: string,
): Promise<FlowSecrets & { readonly browser: string }> {
  const derive = async (use: string): Promise<string> =>
    base64Url(await hmacSha256(config.http.cursorSecret, `oauth\n${use}\n${state}`));
  return {
    state,
    codeVerifier: await derive('pkce'),
    nonce: await derive('nonce'),
    browser: await derive('browser'),
  };
}

/** The cookie of a flow, so that logins in two tabs do not meet. Over https it is bound to this host alone. */
export const browserCookieOf = (
  { config }: SecretsContext,
  stateHash: string,
): { readonly name: string; readonly secure: boolean } => {
  const secure = config.auth.issuer.startsWith('https:');
  return { name: `${secure ? '__Host-' : ''}oauth-${stateHash.slice(0, 16)}`, secure };
};

export const grantPlace = (flowId: string): Place => ({
  table: 'oauth_flows',
  column: 'sealed_grant',
  rowId: flowId,
});
export const profilePlace = (flowId: string): Place => ({
  table: 'oauth_flows',
  column: 'sealed_profile',
  rowId: flowId,
});
export const refreshTokenPlace = (identityId: string): Place => ({
  table: 'identities',
  column: 'sealed_refresh_token',
  rowId: identityId,
});
