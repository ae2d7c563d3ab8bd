import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/** A public key of the distribution's key group. */
export type TrustedKey = { id: string; publicKey: KeyObject };

type PrivateKey = { id: string; key: string };

const newKeyId = (): string =>
  `K${randomBytes(10)
    .toString('base64url')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '2')
    .slice(0, 13)}`;

/** A key group as a deployment would have it in the middle of a rotation, for the setting `CDN_SIGNING_KEYS`: one key that signs, one that did. */
export const makeSigningKeys = (): string => {
  const der = { format: 'der', type: 'pkcs8' } as const;
  const keys: PrivateKey[] = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(der),
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(der),
  ].map((pkcs8) => ({ id: newKeyId(), key: pkcs8.toString('base64') }));
  return JSON.stringify(keys);
};

/** The public halves of the keys in a `CDN_SIGNING_KEYS`, as they would be uploaded to CloudFront. */
export const trustedKeysOf = (signingKeys: string): TrustedKey[] =>
  (JSON.parse(signingKeys) as PrivateKey[]).map(({ id, key }) => ({
    id,
    publicKey: createPublicKey(
      createPrivateKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'pkcs8' }),
    ),
  }));
