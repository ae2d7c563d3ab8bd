import type { CdnSigningKey } from '../../config/delivery.config.ts';
import { base64, utf8 } from '../../shared/encoding.ts';

// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-urls.html

/** What a signature allows. */
export interface Grant {
  /** An address as it will be requested, percent-encoded; `*` stands for any characters, `?` for one. */
  readonly resource: string;
  /** Unix seconds. */
  readonly expiresAt: number;
  /** Unix seconds before which it is of no use. */
  readonly startsAt?: number;
  /** An IPv4 address or network; CloudFront knows no others here. */
  readonly ip?: string;
}

/** A policy and its signature, spelled as CloudFront wants them. */
export interface SignedGrant {
  readonly policy: string;
  readonly signature: string;
  readonly keyPairId: string;
}

/** A custom policy, without the spaces CloudFront does not take. */
export function policyOf(grant: Grant): string {
  if (/[\s"\\\p{Cc}]/u.test(grant.resource)) throw new RangeError('the resource must be percent-encoded');
  const condition = {
    DateLessThan: { 'AWS:EpochTime': grant.expiresAt },
    ...(grant.startsAt === undefined ? {} : { DateGreaterThan: { 'AWS:EpochTime': grant.startsAt } }),
    ...(grant.ip === undefined
      ? {}
      : { IpAddress: { 'AWS:SourceIp': grant.ip.includes('/') ? grant.ip : `${grant.ip}/32` } }),
  };
  return JSON.stringify({ Statement: [{ Resource: grant.resource, Condition: condition }] });
}

/**
 * Signs a grant under a custom policy with SHA-256, RSASSA-PKCS1-v1_5 or ECDSA P-256.
 * @throws RangeError for a resource that is not percent-encoded.
 */
export async function signGrant(key: CdnSigningKey, grant: Grant): Promise<SignedGrant> {
  const policy = utf8(policyOf(grant));
  const imported = await importedKey(key);
  const raw = new Uint8Array(await crypto.subtle.sign(parameters[key.algorithm].sign, imported, policy));
  const signature = key.algorithm === 'ECDSA-P256' ? derOf(raw) : raw;
  return { policy: urlSafe(policy), signature: urlSafe(signature), keyPairId: key.id };
}

/** The query that makes a URL a signed one. */
export const signedQuery = ({ policy, signature, keyPairId }: SignedGrant): string =>
  `Policy=${policy}&Signature=${signature}&Key-Pair-Id=${keyPairId}&Hash-Algorithm=SHA256`;

/** A signed URL: `url` is percent-encoded and what the resource of the grant covers. */
export const signedUrl = (url: string, signed: SignedGrant): string =>
  `${url}${url.includes('?') ? '&' : '?'}${signedQuery(signed)}`;

/** The cookies that do the same for every request to the CDN, by name. */
export const signedCookies = ({
  policy,
  signature,
  keyPairId,
}: SignedGrant): readonly (readonly [string, string])[] => [
  ['CloudFront-Policy', policy],
  ['CloudFront-Signature', signature],
  ['CloudFront-Key-Pair-Id', keyPairId],
  ['CloudFront-Hash-Algorithm', 'SHA256'],
];

const parameters = {
  'RSA-SHA256': {
    import: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    sign: { name: 'RSASSA-PKCS1-v1_5' },
  },
  'ECDSA-P256': {
    import: { name: 'ECDSA', namedCurve: 'P-256' },
    sign: { name: 'ECDSA', hash: 'SHA-256' },
  },
} as const;

// Imported keys by their bytes: values, not promises, since a request may not await another's.
const importedKeys = new WeakMap<Uint8Array, CryptoKey>();

async function importedKey({ pkcs8, algorithm }: CdnSigningKey): Promise<CryptoKey> {
  const known = importedKeys.get(pkcs8);
  if (known !== undefined) return known;
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, parameters[algorithm].import, false, ['sign']);
  importedKeys.set(pkcs8, key);
  return key;
}

/** Base64 in the alphabet of CloudFront's queries and cookies. */
const urlSafe = (bytes: Uint8Array): string =>
  base64(bytes).replaceAll('+', '-').replaceAll('=', '_').replaceAll('/', '~');

/** An ECDSA signature as WebCrypto gives it (r and s side by side, IEEE P1363) in DER (RFC 3279 §2.2.3), which CloudFront wants. */
export function derOf(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  const body = [...derInteger(raw.subarray(0, half)), ...derInteger(raw.subarray(half))];
  return Uint8Array.from([0x30, body.length, ...body]);
}

function derInteger(bytes: Uint8Array): number[] {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = [...bytes.subarray(start)];
  // A leading bit would make the number negative (X.690 §8.3.3).
  if ((digits[0] ?? 0) >= 0x80) digits.unshift(0);
  return [0x02, digits.length, ...digits];
}
