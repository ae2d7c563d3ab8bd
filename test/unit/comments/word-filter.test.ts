import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterKeyOf, foldForFilter } from '../../../src/modules/comments/policy/word-filter.ts';

const finds = (phrase: string, text: string): boolean => {
  const key = filterKeyOf(phrase);
  return key !== undefined && foldForFilter(text).includes(key);
};

describe('a blocked word', () => {
  it.each([
    ['spam', 'this is SPAM!'],
    ['spam', 'ｓｐａｍ'],
    ['spam', 's\u200bp\u00adam'],
    ['spam', 'ѕрам'],
    ['spam', 'sp4m'],
    ['spam', '$pam sp@m'],
    ['spam', 's p a m'],
    ['spam', 's.p.a.m'],
    ['spam', 'ŝpãm'],
    ['spam', 's\u20ddpam'],
    ['spam', 's\u0489p\u1dc4a\ufe20m'],
    ['spam', 's\ufff9p\u0600am'],
    ['spam', 'ꜱᴘᴀᴍ'],
    ['spam', '🅢🅟🅐🅜'],
    ['spam', '🆂🅿🅰🅼'],
    ['Straße', 'die STRASSE'],
    ['free money', 'Get FREE...money now'],
    ['follow*', 'followers for sale'],
    ['free mon*', 'free monkeys'],
    ['坏词', '这是坏词吗'],
    ['คำ', 'นี่คือคำไม่ดี'],
    ['дурак', 'ты ДУРАК'],
    ['100$', 'only 100 today'],
  ])('%j is found in %j', (phrase, text) => expect(finds(phrase, text)).toBe(true));

  it.each([
    ['spam', 'spamalot'],
    ['spam', 'antispam'],
    ['free money', 'free the money'],
    ['follow*', 'unfollow'],
    ['ass', 'a class of its own'],
    ['spam', ''],
    ['坏词', '坏的词'],
  ])('%j is not found in %j', (phrase, text) => expect(finds(phrase, text)).toBe(false));

  it('of nothing but signs is none', () => {
    for (const nothing of ['', ' ', '*', '!!!', '\u200b', '…']) expect(filterKeyOf(nothing)).toBeUndefined();
  });

  const word = fc.stringMatching(/^[a-z]{2,12}$/);
  const phrase = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
  const around = fc.string({ unit: 'binary', maxLength: 40 });

  it('is found whatever stands around it, and however it is written', () => {
    const disguise = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => text.toUpperCase(),
      (text) => Array.from(text, (letter) => `${letter}\u200d`).join(''),
      (text) => Array.from(text, (letter) => (letter === ' ' ? ' ' : `${letter}\u0301`)).join(''),
      (text) => text.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
      (text) => text.replaceAll('a', 'а').replaceAll('o', 'о').replaceAll('e', 'е').replaceAll('c', 'с'),
      (text) => text.replaceAll(' ', '\n\t. '),
    );
    fc.assert(
      fc.property(phrase, disguise, around, around, (blocked, disguised, before, after) => {
        expect(finds(blocked, `${before} . ${disguised(blocked)} . ${after}`)).toBe(true);
      }),
    );
  });

  it('folds any text to something bounded that keeps no case and no invisible characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const folded = foldForFilter(text);
        expect(folded.length).toBeLessThanOrEqual(text.length * 60 + 2);
        expect(folded).not.toMatch(/[A-Z\u200b-\u200f]/);
        expect(folded).toBe(foldForFilter(text.normalize('NFD')));
      }),
    );
  });
});
