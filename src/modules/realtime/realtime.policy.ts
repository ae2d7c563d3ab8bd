import { subprotocol } from '../../../durable-objects/user-hub/protocol.ts';
import { fromBase64Url, fromUtf8 } from '../../shared/encoding.ts';

const bearerProtocol = /^bearer\.([A-Za-z0-9._-]{1,4096})$/;

/**
 * The access token among the offered subprotocols: a browser's WebSocket cannot set headers, and a token in a URL would
 * end up in logs.
 */
export function offeredToken(protocols: string | undefined): string | undefined {
  const tokens = offersOf(protocols).map((offer) => bearerProtocol.exec(offer)?.[1]);
  return tokens.find((token) => token !== undefined);
}

/** The subprotocol to speak: ours if the client offered it beside the token. Naming one it did not offer fails the handshake. */
export const chosenProtocol = (protocols: string | undefined): string | undefined =>
  offersOf(protocols).find((offer) => offer === subprotocol);

const offersOf = (protocols: string | undefined): string[] =>
  (protocols ?? '').split(',').map((offer) => offer.trim());

/** Whether a page of this origin may connect. CORS does not cover WebSockets, so the upgrade is where this is checked. */
export const isOriginAllowed = (origin: string | undefined, allowed: readonly string[]): boolean =>
  origin === undefined || allowed.includes('*') || allowed.includes(origin);

/** `exp` of an access token that was verified before, in Unix seconds. */
export function expiryOf(verifiedToken: string): number | undefined {
  const payload = fromBase64Url(verifiedToken.split('.')[1] ?? '');
  if (payload === undefined) return undefined;
  const claims = JSON.parse(fromUtf8(payload)) as { readonly exp?: unknown };
  return typeof claims.exp === 'number' ? claims.exp : undefined;
}
