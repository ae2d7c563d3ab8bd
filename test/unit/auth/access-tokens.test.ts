import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { signingKeysSchema } from '../../../src/config/auth.config.ts';
import {
  createAccessTokens,
  publicKeySet,
  signAccessToken,
} from '../../../src/modules/auth/usecases/access-tokens.ts';
import { base64Url, utf8 } from '../../../src/shared/encoding.ts';
import { encodeId } from '../../../src/shared/ids.ts';

const userId = '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f';
const sessionId = '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e70';
const nowSeconds = () => Math.floor(Date.now() / 1000);

interface Pair {
  readonly jwk: JWK & { kid: string };
  readonly privateKey: CryptoKey;
}

const newKey = async (kid: string): Promise<Pair> => {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  return { jwk: { ...(await exportJWK(privateKey)), kid }, privateKey };
};

const configOf = (...pairs: Pair[]) => ({
  issuer: 'https://api.test',
  audience: 'social-flow',
  signingKeys: signingKeysSchema.parse(JSON.stringify(pairs.map((pair) => pair.jwk))),
  accessTokenTtlSeconds: 1_800,
  refreshTokenTtlSeconds: 604_800,
  sessionMaxSeconds: 7_776_000,
  passwordPepper: 'a pepper of the tests, long enough',
  passwordPepperVersion: 1,
  oldPasswordPeppers: new Map<number, string>(),
  emailTokenTtlSeconds: 86_400,
  passwordResetTtlSeconds: 600,
  refreshReplaySeconds: 30,
  maxSessionsPerUser: 20,
  maxConcurrentHashes: 2,
});

const grant = () => ({
  userId,
  sessionId,
  epoch: 3,
  scopes: ['user', 'creator'],
  amr: ['pwd'],
  authTime: nowSeconds() - 60,
  sessionExpiresAt: nowSeconds() + 86_400,
});

let current: Pair;
let next: Pair;
let foreign: Pair;

beforeAll(async () => {
  [current, next, foreign] = [await newKey('k1'), await newKey('k2'), await newKey('k1')];
});

afterEach(() => {
  vi.useRealTimers();
});

const claims = (changes: Record<string, unknown> = {}) => ({
  iss: 'https://api.test',
  aud: 'social-flow',
  sub: encodeId('user', userId),
  sid: encodeId('session', sessionId),
  epoch: 0,
  scope: 'user',
  amr: ['pwd'],
  auth_time: nowSeconds(),
  iat: nowSeconds(),
  exp: nowSeconds() + 600,
  jti: 'one',
  ...changes,
});

const forge = (
  changes: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: CryptoKey = current.privateKey,
) =>
  new SignJWT(claims(changes))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k1', ...header })
    .sign(key);

const encode = (value: unknown) => base64Url(utf8(JSON.stringify(value)));

describe('access tokens', () => {
  it('carry who is meant, in public ids, and expire after 30 minutes', async () => {
    const config = configOf(current);
    const now = nowSeconds();
    const { token, expiresInSeconds } = await signAccessToken(config, grant(), now);
    expect(expiresInSeconds).toBe(1_800);
    const [header, payload] = token
      .split('.')
      .map((part) => atob(part.replaceAll('-', '+').replaceAll('_', '/')));
    expect(JSON.parse(header ?? '')).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' });
    expect(JSON.parse(payload ?? '')).toEqual({
      iss: 'https://api.test',
      aud: 'social-flow',
      sub: encodeId('user', userId),
      sid: encodeId('session', sessionId),
      epoch: 3,
      scope: 'user creator',
      amr: ['pwd'],
      auth_time: now - 60,
      iat: now,
      exp: now + 1_800,
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    });
    expect(await createAccessTokens(config).verify(token)).toEqual({
      kind: 'user',
      userId,
      sessionId,
      scopes: ['user', 'creator'],
      amr: ['pwd'],
      authTime: now - 60,
      epoch: 3,
      issuedAt: now,
      expiresAt: expect.any(Number),
    });
  });

  it('are the same again for the same grant, moment and token id, and differ in any other case', async () => {
    const [config, now, one] = [configOf(current), nowSeconds(), grant()];
    const sign = async (seconds: number, id: string, changes = {}) =>
      (await signAccessToken(config, { ...one, ...changes }, seconds, id)).token;
    const token = await sign(now, 'token-1');
    expect(await sign(now, 'token-1')).toBe(token);
    for (const other of [
      await sign(now, 'token-2'),
      await sign(now + 1, 'token-1'),
      await sign(now, 'token-1', { epoch: 4 }),
    ])
      expect(other).not.toBe(token);
  });

  it('never outlive their session', async () => {
    const short = { ...grant(), sessionExpiresAt: nowSeconds() + 90 };
    expect((await signAccessToken(configOf(current), short, nowSeconds())).expiresInSeconds).toBe(90);
  });

  it('end when their time has come, give or take five seconds of clock difference', async () => {
    const config = configOf(current);
    const start = nowSeconds();
    const { token } = await signAccessToken(config, grant(), start);
    const tokens = createAccessTokens(config);
    vi.useFakeTimers({ toFake: ['Date'], now: (start + 1_803) * 1000 });
    expect(await tokens.verify(token)).toBeDefined();
    vi.setSystemTime((start + 1_806) * 1000);
    expect(await tokens.verify(token)).toBeUndefined();
  });

  it('of the old key stay valid while keys rotate, and end with it', async () => {
    const old = await signAccessToken(configOf(current), grant(), nowSeconds());
    const rotated = configOf(next, current);
    const tokens = createAccessTokens(rotated);
    expect(await tokens.verify(old.token)).toBeDefined();
    const fresh = await signAccessToken(rotated, grant(), nowSeconds());
    expect(atob(fresh.token.split('.')[0] ?? '')).toContain('"k2"');
    expect(await tokens.verify(fresh.token)).toBeDefined();
    expect(await createAccessTokens(configOf(next)).verify(old.token)).toBeUndefined();
  });

  it('publish the public half of every key and nothing else', () => {
    const { keys } = publicKeySet(configOf(current, next));
    expect(keys.map((key) => key.kid)).toEqual(['k1', 'k2']);
    for (const key of keys) {
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
      expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' });
    }
  });
});

describe('tokens that are not ours', () => {
  const verify = async (token: string) => createAccessTokens(configOf(current, next)).verify(token);

  it('are told from this valid one', async () => {
    expect(await verify(await forge())).toMatchObject({ userId });
  });

  it.each([
    ['another issuer', { iss: 'https://api.test.evil.example' }],
    ['an issuer with a trailing slash', { iss: 'https://api.test/' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'another-api' }],
    ['several audiences', { aud: ['social-flow', 'another-api'] }],
    ['no audience', { aud: undefined }],
    ['no subject', { sub: undefined }],
    ['a bare UUID as subject', { sub: userId }],
    ['the id of another kind of thing as subject', { sub: encodeId('video', userId) }],
    ['no session', { sid: undefined }],
    ['a user id as session', { sid: encodeId('user', sessionId) }],
    ['no expiry', { exp: undefined }],
    ['an expiry as text', { exp: '9999999999' }],
    ['an expiry in the past', { exp: 1_000_000_000 }],
    ['no time of issue', { iat: undefined }],
    ['a time of issue in the future', { iat: Math.floor(Date.now() / 1000) + 3_600 }],
    ['a time of issue longer ago than tokens live', { iat: Math.floor(Date.now() / 1000) - 3_600 }],
    ['a start in the future', { nbf: Math.floor(Date.now() / 1000) + 3_600 }],
    ['no epoch', { epoch: undefined }],
    ['an epoch as text', { epoch: '0' }],
    ['a negative epoch', { epoch: -1 }],
    ['no scope', { scope: undefined }],
    ['a list as scope', { scope: ['user'] }],
    ['no authentication methods', { amr: undefined }],
    ['no authentication time', { auth_time: undefined }],
    ['no token id', { jti: undefined }],
  ])('are refused with %s', async (_, changes) => {
    expect(await verify(await forge(changes))).toBeUndefined();
  });

  it.each([
    ['the type of id tokens', { typ: 'JWT' }],
    ['no type', { typ: undefined }],
    ['an unknown key id', { kid: 'k9' }],
    ['no key id', { kid: undefined }],
    ['the id of our other key', { kid: 'k2' }],
    ['a key id that is a path', { kid: '../../etc/passwd' }],
    ['a key id named like an object property', { kid: '__proto__' }],
    ['an unknown critical header', { crit: ['exp'], exp: 1 }],
  ])('are refused with %s', async (_, header) => {
    const token = forge({}, header);
    expect(await token.then(verify, () => undefined)).toBeUndefined();
  });

  it('are refused when signed by a foreign key under our key id', async () => {
    expect(await verify(await forge({}, {}, foreign.privateKey))).toBeUndefined();
  });

  it.each([['jwk'], ['jku'], ['x5u'], ['x5c']])(
    'are refused when they bring their own key as %s',
    async (name) => {
      const { d: _, ...publicJwk } = foreign.jwk;
      const value = {
        jwk: publicJwk,
        jku: 'https://evil.example/jwks.json',
        x5u: 'https://evil.example/x',
        x5c: ['AAAA'],
      };
      const header = { [name]: value[name as keyof typeof value] };
      expect(await verify(await forge({}, header, foreign.privateKey))).toBeUndefined();
    },
  );

  it.each(['none', 'None', 'HS256', 'ES256', 'RS256', 'Ed25519ph'])(
    'are refused with algorithm %s',
    async (alg) => {
      const [, payload, signature] = (await forge()).split('.');
      const header = encode({ alg, typ: 'at+jwt', kid: 'k1' });
      expect(await verify(`${header}.${payload}.${signature}`)).toBeUndefined();
      expect(await verify(`${header}.${payload}.`)).toBeUndefined();
    },
  );

  it('are refused when our public key was used as a shared secret', async () => {
    const x = String(current.jwk.x);
    const secret = await importJWK({ kty: 'oct', k: x }, 'HS256');
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })
      .sign(secret);
    expect(await verify(token)).toBeUndefined();
  });

  it('are refused when one character of them is changed', async () => {
    const token = await forge();
    const [header = '', payload = '', signature = ''] = token.split('.');
    const flip = (text: string) => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
    for (const changed of [
      `${flip(header)}.${payload}.${signature}`,
      `${header}.${flip(payload)}.${signature}`,
      `${header}.${payload}.${flip(signature)}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.${signature}`,
      `${header}..${signature}`,
    ])
      expect(await verify(changed)).toBeUndefined();
  });

  it('are refused over 4 KB, although the signature is right', async () => {
    expect(await verify(await forge({ scope: 'x'.repeat(4_096) }))).toBeUndefined();
  });

  it.each([
    '',
    '.',
    '..',
    '...',
    'a.b.c',
    'null',
    '{}',
    `${'a'.repeat(5_000)}`,
    '\u0000.\u0000.\u0000',
    '💥.💥.💥',
  ])('are refused when they are no token at all: %j', async (text) => {
    expect(await verify(text)).toBeUndefined();
  });
});
