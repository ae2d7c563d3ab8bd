import { subprotocol } from '../../../durable-objects/user-hub/protocol.ts';

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
