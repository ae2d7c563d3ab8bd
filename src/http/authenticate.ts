import type { KeyHolder, RequestContext, TokenHolder } from '../context.ts';
import { unauthenticated } from './errors.ts';

// Schemes are compared without regard to case (RFC 9110 §11.1).
const bearer = /^bearer ([A-Za-z0-9._-]{1,4096})$/i;

/** What every API key begins with; no access token does. */
export const apiKeyPrefix = 'sfk_';

/**
 * The user behind an Authorization header, or the holder of the API key in it; undefined when there is none. `fresh`: whether a
 * key must be live at this moment, as for writes.
 * @throws auth.unauthenticated when the header is there but not a valid access token or API key.
 */
export async function authenticate(
  ctx: RequestContext,
  authorization: string | undefined,
  options: { readonly fresh: boolean },
): Promise<TokenHolder | KeyHolder | undefined> {
  if (authorization === undefined) return undefined;
  const token = bearer.exec(authorization)?.[1];
  const actor = token === undefined ? undefined : await holderOf(ctx, token, options);
  if (actor === undefined) throw invalidToken();
  return actor;
}

const holderOf = (
  ctx: RequestContext,
  token: string,
  options: { readonly fresh: boolean },
): Promise<TokenHolder | KeyHolder | undefined> =>
  token.startsWith(apiKeyPrefix) ? ctx.apiKeys.verify(ctx, token, options) : ctx.accessTokens.verify(token);

/** The answer to a token that is malformed, forged, expired or of a session that has ended: all look alike. */
export const invalidToken = () =>
  unauthenticated({
    headers: { 'www-authenticate': 'Bearer realm="social-flow", error="invalid_token"' },
  });
