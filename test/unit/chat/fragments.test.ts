import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragmentsOf } from '../../../durable-objects/chat-room/fragments.ts';

const cut = (text: string) => fragmentsOf(text, (name) => (name === 'wave' ? { emoji: '👋' } : undefined));

describe('the fragments of a message', () => {
  it('are, put together, the message', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.constantFrom('@ada', ' @', ':wave:', ':', 'https://example.com/a?b=c', 'https://', '.', ' '),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        expect(
          cut(text)
            .map((fragment) => fragment.text)
            .join(''),
        ).toBe(text);
      }),
    );
  });

  it('tell whom it speaks to, where it points, and what emotes it has', () => {
    expect(cut('hi @Ada, see https://example.com/x. :wave: :no:')).toEqual([
      { type: 'text', text: 'hi ' },
      { type: 'mention', text: '@Ada', username: 'ada' },
      { type: 'text', text: ', see ' },
      { type: 'link', text: 'https://example.com/x', url: 'https://example.com/x' },
      { type: 'text', text: '. ' },
      { type: 'emote', text: ':wave:', name: 'wave', emoji: '👋' },
      { type: 'text', text: ' :no:' },
    ]);
  });

  it('take neither addresses of mail for names nor other schemes for links', () => {
    expect(cut('mail me@example.com or javascript:alert(1)')).toEqual([
      { type: 'text', text: 'mail me@example.com or javascript:alert(1)' },
    ]);
  });

  it('of texts full of beginnings are the text itself', () => {
    for (const text of ['@'.repeat(500), ':'.repeat(500), 'https://'.repeat(62), `${'a:'.repeat(250)}`])
      expect(
        cut(text)
          .map((fragment) => fragment.text)
          .join(''),
      ).toBe(text);
  });
});
