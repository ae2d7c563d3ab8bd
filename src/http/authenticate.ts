import type { RequestContext, TokenHolder } from '../context.ts';
import { unauthenticated } from './errors.ts';

// Schemes are compared without regard to case (RFC 9110 §11.1).
const bearer = /^bearer ([A-Za-z0-9._-]{1,4096})$/i;

/**
 * The user behind an Authorization header; undefined when there is none.
 * @throws auth.unauthenticated when the header is there but not a valid access token.
 */
export async function authenticate(
  ctx: RequestContext,
  authorization: string | undefined,
): Promise<TokenHolder | undefined> {
  if (authorization === undefined) return undefined;
  const token = bearer.exec(authorization)?.[1];
  const actor = token === undefined ? undefined : await ctx.accessTokens.verify(token);
  if (actor === undefined) throw invalidToken();
  return actor;
}

/** The answer to a token that is malformed, forged, expired or of a session that has ended: all look alike. */
export const invalidToken = () =>
  unauthenticated({
    headers: { 'www-authenticate': 'Bearer realm="social-flow", error="invalid_token"' },
  });
