import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** Addresses of the media playlists of a stream. */
export async function openStream(playbackUrl: string, init: RequestInit = {}): Promise<string[]> {
  const response = await fetch(playbackUrl, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => new URL(line, playbackUrl).href);
}

/** Lines of a playlist that begin with a tag, without it. */
export const tagsOf = (playlist: string, tag: string): string[] =>
  playlist
    .split('\n')
    .filter((line) => line.startsWith(`#${tag}:`))
    .map((line) => line.slice(tag.length + 2));

export const attribute = (line: string, name: string): string =>
  new RegExp(`(?:^|,)${name}=(?:"([^"]*)"|([^,]*))`)
    .exec(line)
    ?.slice(1)
    .find((value) => value !== undefined) ?? '';

export type Signer = { readonly publicKey: string; token(claims: object, header?: object): string };

/** A playback key of which a channel knows the public half. */
export function createSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    token: (claims, header = { alg: 'ES384', typ: 'JWT' }) => signToken(privateKey, header, claims),
  };
}

function signToken(key: KeyObject, header: object, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part(header)}.${part(claims)}`;
  const signature = sign('sha384', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}
