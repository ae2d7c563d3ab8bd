import { describe, expect, it } from 'vitest';
import { parsePasswordHash } from '../../../src/modules/auth/policy/password-hash.ts';
import {
  hashPassword,
  passwordHashesStarted,
  verifyPassword,
} from '../../../src/modules/auth/usecases/hash-password.ts';

const config = {
  passwordPepper: 'a pepper of the tests, long enough',
  passwordPepperVersion: 1,
  oldPasswordPeppers: new Map<number, string>(),
  maxConcurrentHashes: 2,
};
const password = 'pässwörd 🦉 with spaces ';
// Made with Python: hashlib.scrypt(hmac(pepper, password, sha256), salt=bytes(range(16)), n=2**15, r=8, p=3, dklen=32).
const stored =
  '$scrypt$ln=15,r=8,p=3,pv=1$AAECAwQFBgcICQoLDA0ODw$aJyy6MHj2nFaA5dEngZdDfoVamaLGdWG7vueCiMpi7Q';
const weaker =
  '$scrypt$ln=14,r=8,p=1,pv=1$AAECAwQFBgcICQoLDA0ODw$Arx/tP4HOELsLEVnk1de6pjn7A3XLhXsy0F1Qq5UiKI';

describe('password hashing', () => {
  it('agrees with an independent scrypt', async () => {
    expect(await verifyPassword(config, password, stored)).toEqual({ matches: true, outdated: false });
  });

  it('matches what it hashed, salts every hash, and keeps the password out of it', async () => {
    const [first, second] = await Promise.all([
      hashPassword(config, password),
      hashPassword(config, password),
    ]);
    expect(first).toMatch(/^\$scrypt\$ln=15,r=8,p=3,pv=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(second).not.toBe(first);
    expect((await verifyPassword(config, password, first)).matches).toBe(true);
  });

  it.each([
    ['without the trailing space', password.trimEnd()],
    ['in another Unicode normal form', password.normalize('NFD')],
    ['in another case', password.toUpperCase()],
    ['cut at the first NUL', `${password}\u0000`],
    ['empty', ''],
  ])('takes the password as received: refuses it %s', async (_, attempt) => {
    expect((await verifyPassword(config, attempt, stored)).matches).toBe(false);
  });

  it('does not match under another pepper', async () => {
    const other = { ...config, passwordPepper: 'another pepper of the tests, too' };
    expect((await verifyPassword(other, password, stored)).matches).toBe(false);
  });

  it('verifies with an old pepper, hashes with the current, and says that the hash should be replaced', async () => {
    const rotated = {
      ...config,
      passwordPepper: 'another pepper of the tests, too',
      passwordPepperVersion: 2,
      oldPasswordPeppers: new Map([[1, config.passwordPepper]]),
    };
    expect(await verifyPassword(rotated, password, stored)).toEqual({ matches: true, outdated: true });
    expect(await verifyPassword(rotated, 'wrong', stored)).toEqual({ matches: false, outdated: false });
    const renewed = await hashPassword(rotated, password);
    expect(renewed).toContain(',pv=2$');
    expect(await verifyPassword(rotated, password, renewed)).toEqual({ matches: true, outdated: false });
    expect((await verifyPassword(config, password, renewed)).matches).toBe(false);
  });

  it('cannot verify once the pepper of a hash is gone', async () => {
    const without = {
      ...config,
      passwordPepper: 'another pepper of the tests, too',
      passwordPepperVersion: 2,
    };
    expect(await verifyPassword(without, password, stored)).toEqual({ matches: false, outdated: false });
  });

  it('tells that a hash with older parameters should be replaced, but only to who knows the password', async () => {
    expect(await verifyPassword(config, password, weaker)).toEqual({ matches: true, outdated: true });
    expect(await verifyPassword(config, 'wrong', weaker)).toEqual({ matches: false, outdated: false });
  });

  it.each([
    ['no account', undefined],
    ['an account without a password', null],
    ['an unreadable hash', 'md5:abcdef'],
    ['a hash under an unknown pepper', stored.replace('pv=1', 'pv=9')],
    ['a hash that costs more than an isolate has', stored.replace('ln=15', 'ln=17')],
  ])('does the work of one hash and never matches for %s', async (_, hash) => {
    const before = passwordHashesStarted();
    expect(await verifyPassword(config, '', hash)).toEqual({ matches: false, outdated: false });
    expect(passwordHashesStarted() - before).toBe(1);
  });
});

describe('stored password hashes', () => {
  it.each([
    ['N*r*p above the cap of production workerd', '$scrypt$ln=15,r=8,p=5'],
    ['more than 32 MiB', '$scrypt$ln=16,r=8,p=1'],
    ['a zero cost', '$scrypt$ln=0,r=8,p=1'],
    ['a zero block size', '$scrypt$ln=15,r=0,p=1'],
    ['a huge cost', '$scrypt$ln=99,r=99,p=99'],
  ])('are refused with %s', (_, head) => {
    expect(parsePasswordHash(stored.replace('$scrypt$ln=15,r=8,p=3', head))).toBeUndefined();
  });

  it.each([
    '',
    '$scrypt$',
    '$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA',
    `${stored}=`,
    ` ${stored}`,
    stored.replace('ln=15', 'ln=+15'),
    stored.replace(/\$[^$]+$/, '$AAAA'),
  ])('are refused when malformed: %j', (text) => {
    expect(parsePasswordHash(text)).toBeUndefined();
  });
});
