import { describe, expect, it } from 'vitest';
import { plainText } from '../../../src/shared/text.ts';

const line = plainText({ min: 1, max: 10 });
const paragraph = plainText({ min: 0, max: 50, multiline: true });

describe('plainText', () => {
  it.each([
    ["'; DROP--", "'; DROP--"],
    ['<b>x</b>', '<b>x</b>'],
    ['مرحبا', 'مرحبا'],
    ['👩‍👩‍👧‍👦🎬', '👩‍👩‍👧‍👦🎬'],
    ['  trimmed ', 'trimmed'],
    ['e\u0301', 'é'],
    ['𝒳𝒴𝒵', '𝒳𝒴𝒵'],
  ])('keeps %s as people typed it', (input, output) => {
    expect(line.parse(input)).toBe(output);
  });

  it('counts code points, not UTF-16 units', () => {
    expect(line.safeParse('🎬'.repeat(10)).success).toBe(true);
    expect(line.safeParse('🎬'.repeat(11)).success).toBe(false);
  });

  it.each([
    '',
    '   ',
    '\u200b\u3164',
    'a\u0000b',
    'a\u001bb',
    'a\u0085b',
    '\ud800',
    'abc\u202edcba',
    'two\nlines',
    'tab\tbed',
    'x'.repeat(11),
  ])('refuses %j', (input) => {
    expect(line.safeParse(input).success).toBe(false);
  });

  it('allows lines and tabs where they make sense, and makes CRLF one newline', () => {
    expect(paragraph.parse('a\r\nb\tc')).toBe('a\nb\tc');
  });
});
