import { describe, expect, it } from 'vitest';
import {
  isReservedUsername,
  normaliseWebsite,
  parseUserReference,
} from '../../../src/modules/users/users.policy.ts';
import { encodeId } from '../../../src/shared/ids.ts';

describe('websites', () => {
  it.each([
    ['https://example.com', 'https://example.com/'],
    ['HTTP://EXAMPLE.com/a b?q=ü#x', 'http://example.com/a%20b?q=%C3%BC#x'],
    ['https://münchen.example/', 'https://xn--mnchen-3ya.example/'],
    ['https://example.com/"><script>', 'https://example.com/%22%3E%3Cscript%3E'],
  ])('are normalised: %s', (text, expected) => {
    expect(normaliseWebsite(text)).toBe(expected);
  });

  it.each([
    'javascript:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'ftp://example.com/',
    'file:///etc/passwd',
    'https://user:secret@example.com/',
    'https://user@example.com/',
    '//example.com',
    'example.com',
    'https://',
    '',
    `https://example.com/${'a'.repeat(2_048)}`,
    `https://example.com/${'ü'.repeat(1_000)}`,
  ])('are refused: %j', (text) => {
    expect(normaliseWebsite(text)).toBeUndefined();
  });
});

describe('usernames', () => {
  const id = '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f';

  it.each([
    'admin',
    'Admin',
    'SOCIALFLOW',
    'support',
    'usr_anything',
    encodeId('user', id),
    encodeId('video', id),
  ])('are reserved: %s', (name) => {
    expect(isReservedUsername(name)).toBe(true);
  });

  it.each(['ada', 'administrator_of_nothing', 'user_1', 'usrname'])('are free: %s', (name) => {
    expect(isReservedUsername(name)).toBe(false);
  });

  it('are told from user ids', () => {
    expect(parseUserReference(encodeId('user', id))).toEqual({ kind: 'id', id });
    expect(parseUserReference('Ada_99')).toEqual({ kind: 'username', username: 'Ada_99' });
  });

  it.each([
    '',
    'ab',
    'a'.repeat(31),
    'ada lovelace',
    'ädä',
    "ada'--",
    encodeId('video', id).replace('vid', 'usr').slice(0, -1),
    'usr_x',
  ])('or neither: %j', (text) => {
    expect(parseUserReference(text)).toBeUndefined();
  });
});
