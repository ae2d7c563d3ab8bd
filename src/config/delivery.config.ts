import { z } from 'zod';
import { baseUrl, boolean, integer } from './fields.ts';
import { defineSection } from './section.ts';

const optionalBaseUrl = () => z.union([z.literal(''), baseUrl()]);

/** What a private key is for, by the algorithm identifier at the head of its PKCS #8 form (RFC 5208, RFC 8410). */
const algorithms = {
  'RSA-SHA256': '06092a864886f70d010101',
  'ECDSA-P256': '06072a8648ce3d020106082a8648ce3d030107',
} as const;

export type CdnKeyAlgorithm = keyof typeof algorithms;

export interface CdnSigningKey {
  /** The id CloudFront gave the public key. */
  readonly id: string;
  readonly algorithm: CdnKeyAlgorithm;
  readonly pkcs8: Uint8Array<ArrayBuffer>;
}

const keySchema = z
  .strictObject({
    id: z.string().regex(/^[A-Z0-9]{8,32}$/, 'ids are capital letters and digits, as CloudFront gives them'),
    key: z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/, 'keys are PKCS #8 in base64, without PEM lines'),
  })
  .transform(({ id, key }, context): CdnSigningKey => {
    const pkcs8 = Uint8Array.from(atob(key), (character) => character.charCodeAt(0));
    const head = Array.from(pkcs8.subarray(0, 64), (byte) => byte.toString(16).padStart(2, '0')).join('');
    for (const [algorithm, identifier] of Object.entries(algorithms) as [CdnKeyAlgorithm, string][])
      if (head.includes(identifier)) return { id, algorithm, pkcs8 };
    context.addIssue({ code: 'custom', message: 'keys must be RSA or ECDSA P-256, in PKCS #8' });
    return z.NEVER;
  });

const keysSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON array of keys' });
      return z.NEVER;
    }
  })
  .pipe(z.array(keySchema).max(5))
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'ids must differ');

export const deliverySection = defineSection('Delivery', {
  signingKeys: {
    env: 'CDN_SIGNING_KEYS',
    schema: keysSchema,
    default: '[]',
    doc: 'JSON array of the private keys of the CloudFront key group, as `[{"id":"K...","key":"<PKCS #8 in base64>"}]`: RSA-2048 or ECDSA P-256. The first signs; the others wait their turn or run out. Without any, addresses of media are not signed, which production refuses.',
    secret: true,
  },
  cookieDomain: {
    env: 'CDN_COOKIE_DOMAIN',
    schema: z.union([
      z.literal(''),
      z.string().regex(/^([a-z0-9-]+\.)+[a-z]{2,}$/, 'must be a domain in lower case'),
    ]),
    default: '',
    doc: 'Domain the API and the CDN are both below, for signed cookies. Empty: none are set, and players use the query.',
  },
  playbackTtlSeconds: {
    env: 'PLAYBACK_TTL_SECONDS',
    schema: integer(60, 604_800),
    default: '21600',
    unit: 'seconds',
    doc: 'Life of the signature for a video everybody may play.',
  },
  restrictedPlaybackTtlSeconds: {
    env: 'PLAYBACK_RESTRICTED_TTL_SECONDS',
    schema: integer(60, 86_400),
    default: '900',
    unit: 'seconds',
    doc: 'Life of the signature for any other video; players ask again before it ends. What was taken from somebody plays on for so long at most.',
  },
  unlockTtlSeconds: {
    env: 'PLAYBACK_UNLOCK_TTL_SECONDS',
    schema: integer(60, 604_800),
    default: '43200',
    unit: 'seconds',
    doc: 'For how long a password, once given, need not be given again.',
  },
  bindToAddress: {
    env: 'PLAYBACK_BIND_TO_ADDRESS',
    schema: boolean(),
    default: 'false',
    doc: 'Whether signatures for restricted videos hold for one client address only. CloudFront can do this for IPv4; people who change networks have to ask anew.',
  },
  distributionId: {
    env: 'CDN_DISTRIBUTION_ID',
    schema: z.union([z.literal(''), z.string().regex(/^[A-Z0-9]{8,32}$/)]),
    default: '',
    doc: 'Id of the CloudFront distribution, for invalidations. Empty: the CDN is not told, and copies there run out by themselves.',
  },
  cloudFrontEndpoint: {
    env: 'CLOUDFRONT_ENDPOINT',
    schema: optionalBaseUrl(),
    default: '',
    doc: 'Address of the CloudFront API. Empty means AWS.',
  },
});
