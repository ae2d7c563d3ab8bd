import {
  createPrivateKey,
  createPublicKey,
  createVerify,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { getSignedCookies, getSignedUrl } from '@aws-sdk/cloudfront-signer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const load = (path: string): Promise<unknown> => import(new URL(`../../src/${path}`, import.meta.url).href);

interface Key {
  readonly id: string;
  readonly algorithm: 'RSA-SHA256' | 'ECDSA-P256';
  readonly pkcs8: Uint8Array;
}

interface Grant {
  readonly resource: string;
  readonly expiresAt: number;
  readonly startsAt?: number;
  readonly ip?: string;
}

interface Signed {
  readonly policy: string;
  readonly signature: string;
  readonly keyPairId: string;
}

interface Signer {
  policyOf(grant: Grant): string;
  signGrant(key: Key, grant: Grant): Promise<Signed>;
  signedUrl(url: string, signed: Signed): string;
  signedCookies(signed: Signed): readonly (readonly [string, string])[];
  derOf(raw: Uint8Array): Uint8Array;
}

const { policyOf, signGrant, signedUrl, signedCookies, derOf } = (await load(
  'integrations/aws/cloudfront.ts',
)) as Signer;
const { parseConfigSection } = { parseConfigSection: await load('config/delivery.config.ts') } as {
  parseConfigSection: {
    deliverySection: { settings: { signingKeys: { schema: { parse(text: string): Key[] } } } };
  };
};
const parseKeys = (text: string): Key[] =>
  parseConfigSection.deliverySection.settings.signingKeys.schema.parse(text);

const pkcs8 = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'pkcs8' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const [ecKey, rsaKey] = parseKeys(
  JSON.stringify([
    { id: 'KECDSAKEY0001', key: pkcs8(ec.privateKey).toString('base64') },
    { id: 'KRSAKEY000001', key: pkcs8(rsa.privateKey).toString('base64') },
  ]),
) as [Key, Key];

const grants: readonly Grant[] = [
  { resource: 'https://cdn.example/media/0190/v1/*', expiresAt: 1_900_000_000 },
  { resource: 'https://cdn.example/media/0190/v1/*', expiresAt: 1_900_000_000, startsAt: 1_800_000_000 },
  { resource: 'https://cdn.example/media/a%20b/%C3%BC.m4s', expiresAt: 1_900_000_000, ip: '203.0.113.7' },
  { resource: 'https://cdn.example/media/0190/*', expiresAt: 1_900_000_000, ip: '203.0.113.0/24' },
];

const decode = (text: string): Buffer =>
  Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64');

describe('CloudFront signatures', () => {
  it.each(grants)('with RSA are byte for byte what the AWS signer makes of $resource', async (grant) => {
    const signed = await signGrant(rsaKey, grant);
    const input = {
      keyPairId: rsaKey.id,
      privateKey: String(rsa.privateKey.export({ format: 'pem', type: 'pkcs8' })),
      policy: policyOf(grant),
      algorithm: 'SHA256',
    } as const;
    const url = grant.resource.replace('*', 'seg_1.m4s');
    const theirs = new URL(getSignedUrl({ ...input, url }));
    const ours = new URL(signedUrl(url, signed));
    expect(ours.origin + ours.pathname).toBe(theirs.origin + theirs.pathname);
    expect([...ours.searchParams].toSorted()).toEqual([...theirs.searchParams].toSorted());
    expect(Object.fromEntries(signedCookies(signed))).toEqual(getSignedCookies(input));
  });

  it('put the conditions where the AWS signer puts them', () => {
    const { privateKey } = { privateKey: String(rsa.privateKey.export({ format: 'pem', type: 'pkcs8' })) };
    const theirs = getSignedCookies({
      keyPairId: rsaKey.id,
      privateKey,
      url: 'https://cdn.example/media/x/*',
      dateLessThan: new Date(1_900_000_000_000).toISOString(),
      dateGreaterThan: new Date(1_800_000_000_000).toISOString(),
      ipAddress: '203.0.113.7/32',
    });
    expect(decode(theirs['CloudFront-Policy'] ?? '').toString('utf8')).toBe(
      policyOf({
        resource: 'https://cdn.example/media/x/*',
        expiresAt: 1_900_000_000,
        startsAt: 1_800_000_000,
        ip: '203.0.113.7',
      }),
    );
  });

  it.each(grants)('with ECDSA verify as DER over the policy: $resource', async (grant) => {
    const signed = await signGrant(ecKey, grant);
    const policy = decode(signed.policy);
    expect(policy.toString('utf8')).toBe(policyOf(grant));
    const publicKey = createPublicKey(
      createPrivateKey(ec.privateKey.export({ format: 'pem', type: 'pkcs8' })),
    );
    expect(createVerify('SHA256').update(policy).verify(publicKey, decode(signed.signature))).toBe(true);
    expect(signed.signature).toMatch(/^[A-Za-z0-9~-]+_{0,2}$/);
  });

  it('come out as DER of every length: leading zeros dropped, leading bits guarded', async () => {
    await fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (r, s) => {
          const der = Buffer.from(derOf(Uint8Array.from([...r, ...s])));
          expect([der[0], der[1]]).toEqual([0x30, der.length - 2]);
          const first = der.subarray(4, 4 + (der[3] ?? 0));
          const second = der.subarray(6 + first.length);
          for (const [integer, given] of [
            [first, r],
            [second, s],
          ] as const) {
            // A DER integer is positive and as short as can be (X.690 §8.3.2).
            expect((integer[0] ?? 0) < 0x80).toBe(true);
            expect(integer.length > 1 && integer[0] === 0 && (integer[1] ?? 0) < 0x80).toBe(false);
            expect(BigInt(`0x${integer.toString('hex')}`)).toBe(
              BigInt(`0x${Buffer.from(given).toString('hex')}`),
            );
          }
        },
      ),
      {
        examples: [
          [new Uint8Array(32), new Uint8Array(32)],
          [new Uint8Array(32).fill(255), new Uint8Array(32).fill(128)],
        ],
      },
    );
    for (let round = 0; round < 200; round += 1) {
      const signed = await signGrant(ecKey, {
        resource: `https://cdn.example/${round}/*`,
        expiresAt: 1 + round,
      });
      expect(
        createVerify('SHA256').update(decode(signed.policy)).verify(ec.publicKey, decode(signed.signature)),
      ).toBe(true);
    }
  });

  it('are for addresses as they are requested: nothing that is not percent-encoded', () => {
    for (const resource of [
      'https://cdn.example/a b',
      'https://cdn.example/"',
      'https://cdn.example/\\',
      'https://cdn.example/\u0000',
    ])
      expect(() => policyOf({ resource, expiresAt: 1 })).toThrow(RangeError);
  });
});

describe('CDN_SIGNING_KEYS', () => {
  it('tells RSA from ECDSA, and takes nothing else', () => {
    expect([ecKey.algorithm, rsaKey.algorithm]).toEqual(['ECDSA-P256', 'RSA-SHA256']);
    expect(parseKeys('[]')).toEqual([]);
    const ed = pkcs8(generateKeyPairSync('ed25519').privateKey).toString('base64');
    const p384 = pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey).toString('base64');
    const good = pkcs8(rsa.privateKey).toString('base64');
    for (const keys of [
      [{ id: 'K0000000001', key: ed }],
      [{ id: 'K0000000001', key: p384 }],
      [{ id: 'lower', key: good }],
      [{ id: 'K0000000001', key: 'not base64!' }],
      [
        { id: 'K0000000001', key: good },
        { id: 'K0000000001', key: good },
      ],
      [{ id: 'K0000000001' }],
      {},
    ])
      expect(() => parseKeys(JSON.stringify(keys))).toThrow();
    expect(() => parseKeys('K1:abc')).toThrow();
  });
});
