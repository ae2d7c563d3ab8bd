import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeSigningKeys } from '../cdn/keys.ts';
import { makePlaybackKey } from '../ivs/index.ts';
import { writePrivateFile } from './files.ts';

/** Secrets of this checkout's local cloud: random, made once, kept beside its data, never in the repository. */
export interface LocalSecrets {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly cursorSecret: string;
  readonly passwordPepper: string;
  readonly webhookSecret: string;
  /** The setting `CDN_SIGNING_KEYS`; the CDN front trusts the public halves. */
  readonly cdnSigningKeys: string;
  /** The setting `LIVE_PLAYBACK_KEY`; IVS is given the public half. */
  readonly livePlaybackKey: string;
  readonly turnstileSecret: string;
  /** JSON array of one Ed25519 private JWK. */
  readonly signingKeys: string;
  /** JSON object of one AES-256 key in base64 by its version. */
  readonly dataEncryptionKeys: string;
  readonly smsAccountSid: string;
  readonly smsAuthToken: string;
  /** Shared by the Worker and the stand-ins of the OAuth providers. */
  readonly oauthSecret: string;
  /** PKCS #8 PEM of the P-256 key that signs Apple's client secrets. */
  readonly appleKey: string;
  readonly ownerPassword: string;
  readonly appPassword: string;
  readonly replicaPassword: string;
}

/** Reads the secrets, making what is missing. */
export function localSecrets(stateDir: string): LocalSecrets {
  const file = join(stateDir, 'secrets.json');
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<LocalSecrets>) : {};
  const secrets: LocalSecrets = { ...makeSecrets(), ...known };
  writePrivateFile(file, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

function makeSecrets(): LocalSecrets {
  const random = (length: number): string => randomBytes(length).toString('base64url');
  const { privateKey } = generateKeyPairSync('ed25519');
  const kid = `local-${randomBytes(4).toString('hex')}`;
  return {
    accessKeyId: `LOCAL${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: random(30),
    cursorSecret: random(33),
    passwordPepper: random(33),
    webhookSecret: random(33),
    cdnSigningKeys: makeSigningKeys(),
    livePlaybackKey: makePlaybackKey(),
    turnstileSecret: random(24),
    signingKeys: JSON.stringify([{ ...privateKey.export({ format: 'jwk' }), kid }]),
    dataEncryptionKeys: JSON.stringify({ 1: randomBytes(32).toString('base64') }),
    smsAccountSid: `AC${randomBytes(16).toString('hex')}`,
    smsAuthToken: randomBytes(16).toString('hex'),
    oauthSecret: random(33),
    appleKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }) as string,
    ownerPassword: random(18),
    appPassword: random(18),
    replicaPassword: random(18),
  };
}
