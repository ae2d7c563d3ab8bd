import { describe, expect, it } from 'vitest';
import { passwordProblems } from '../../../src/modules/auth/policy/password-rules.ts';
import { topPasswords } from '../../../src/modules/auth/policy/top-passwords.ts';

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

describe('the list of top passwords', () => {
  it('has more than the 3,000 ASVS 6.2.4 asks for, all of a length people could choose, and refuses each', () => {
    const list = [...topPasswords()];
    expect(list).toHaveLength(5_000);
    expect(list.filter((password) => password.length < 8 || password !== password.toLowerCase())).toEqual([]);
    expect(list).toEqual(
      expect.arrayContaining(['password', '1qaz2wsx', 'trustno1', 'marlboro', 'jordan23', 'zxcvbnm1']),
    );
    for (const password of list.filter((_, index) => index % 50 === 0)) {
      expect(codes(password)).toEqual(['too_common']);
      expect(codes(password.toUpperCase())).toEqual(['too_common']);
    }
  });
});

describe('words of the account', () => {
  const person = {
    username: 'ada_lovelace',
    email: 'ada.byron@analytical.example',
    displayName: 'Grace Brewster Hopper',
  };
  it.each([
    'GraceBrewsterHopper1',
    'grace brewster hopper',
    'brewster7!',
    'Hopper2026',
    'analytical99',
    'social flow 1',
    'Social_Flow!!',
  ])('refuses %j', (password) => {
    expect(passwordProblems(password, person).map(({ code }) => code)).toHaveLength(1);
  });

  it('takes a password that only holds one of them among others', () => {
    expect(passwordProblems('hopper under seven moons', person)).toEqual([]);
  });
});
