import { SignJWT } from 'jose';
import type { RequestContext } from '../../../context.ts';
import { playbackNotConfigured } from '../live.errors.ts';

// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/private-channels-generate-tokens.html

// Imported keys by their bytes: values, not promises, since a request may not await another's.
const importedKeys = new WeakMap<Uint8Array, CryptoKey>();

async function importedKey(pkcs8: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const known = importedKeys.get(pkcs8);
  if (known !== undefined) return known;
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: 'P-384' }, false, [
    'sign',
  ]);
  importedKeys.set(pkcs8, key);
  return key;
}

/**
 * A token with which a viewer begins to play a channel.
 * @throws live.playback_not_configured.
 */
export async function signPlayback(
  ctx: RequestContext,
  viewer: { readonly channelArn: string; readonly viewerId: string; readonly version: number },
): Promise<{ readonly token: string; readonly expiresAt: string }> {
  const { playbackKey, playbackTokenSeconds } = ctx.config.live;
  if (playbackKey === undefined) throw playbackNotConfigured();
  const { corsOrigins } = ctx.config.http;
  const expiresAt = Math.floor(ctx.clock.now() / 1_000) + playbackTokenSeconds;
  const token = await new SignJWT({
    'aws:channel-arn': viewer.channelArn,
    'aws:access-control-allow-origin': corsOrigins.length === 0 ? '*' : corsOrigins.join(','),
    'aws:viewer-id': viewer.viewerId,
    'aws:viewer-session-version': viewer.version,
  })
    .setProtectedHeader({ alg: 'ES384', typ: 'JWT' })
    .setExpirationTime(expiresAt)
    .sign(await importedKey(playbackKey));
  return { token, expiresAt: new Date(expiresAt * 1_000).toISOString() };
}
