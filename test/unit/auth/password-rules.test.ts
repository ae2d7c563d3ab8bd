import { describe, expect, it } from 'vitest';
import { passwordProblems } from '../../../src/modules/auth/policy/password-rules.ts';

const context = { username: 'ada_lovelace', email: 'ada.byron@analytical.example' };
const codes = (password: string) => passwordProblems(password, context).map((problem) => problem.code);

describe('password rules', () => {
  it.each([
    'correct horse battery staple',
    'no-composition-rules',
    '        a        ',
    'übergrößenträger',
    'пароль-не-из-словаря',
    '🦉🦊🐙🦑🐌🐢🦎🐡',
    'x7Kq2mVw',
    'channel tunnel ferries',
    `kfj28dls${'xq4v9t_w'.repeat(15)}`,
  ])('takes %j', (password) => {
    expect(codes(password)).toEqual([]);
  });

  it('counts code points, not UTF-16 units', () => {
    expect(codes('🦉🦊🐙🦑🐌🐢🦎')).toEqual(['too_short']);
    const owls = Array.from({ length: 128 }, (_, index) => String.fromCodePoint(0x1f400 + index));
    expect(codes(owls.join(''))).toEqual([]);
    expect(codes(`${owls.join('')}🦉`)).toEqual(['too_long']);
  });

  it.each([
    'password',
    'PASSWORD',
    'P@ssw0rd',
    'Password123!',
    'p4ssw0rd2024',
    '12345678',
    '0987654321',
    'qwertyuiop',
    'poiuytrewq',
    'abcdefgh',
    'aaaaaaaaaaaa',
    'abcabcabc',
    'ababababab',
    '1qaz2wsx3edc',
    'iloveyou!!',
    '2024summer',
    'letmein1',
    'Socialflow1!',
  ])('refuses %j as too common', (password) => {
    expect(codes(password)).toEqual(['too_common']);
  });

  it.each([
    'ada_lovelace',
    'Ada_Lovelace1',
    'xxada_lovelacexx',
    'ada.byron@analytical.example',
    'ada_lovelace12345678',
  ])('refuses %j, which is the account name and little else', (password) => {
    expect(codes(password)).toEqual(['contains_account_name']);
  });

  it('takes the account name as a part of a password that stands without it', () => {
    expect(codes('ada_lovelace keeps 9 ravens')).toEqual([]);
  });

  it('points at the password', () => {
    expect(passwordProblems('short', context)[0]?.pointer).toBe('/password');
  });
});
