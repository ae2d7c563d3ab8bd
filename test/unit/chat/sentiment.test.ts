import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fragmentsOf } from '../../../durable-objects/chat-room/fragments.ts';
import { moodOf, sentimentOf, spokenOf } from '../../../durable-objects/chat-room/sentiment.ts';
import { labelledChat } from './labelled-chat.ts';

describe('the mood of a message', () => {
  it.each([
    ['this is great', 'positive'],
    ['this is not great', 'negative'],
    ["don't hate it", 'positive'],
    ['so gooooood', 'positive'],
    ['the sound was great but the game is terrible', 'negative'],
    ['🔥🔥🔥', 'positive'],
    ['das war echt 😡', 'negative'],
    ['bad ist der Ort und nicht mehr', 'neutral'],
    ['when does it start', 'neutral'],
    ['', 'neutral'],
  ] as const)('takes %j for %s', (text, mood) => {
    expect(moodOf(sentimentOf(text))).toBe(mood);
  });

  it('makes strong words stronger and weak ones weaker', () => {
    expect(sentimentOf('really good')).toBeGreaterThan(sentimentOf('good'));
    expect(sentimentOf('slightly good')).toBeLessThan(sentimentOf('good'));
    expect(sentimentOf('that is GREAT')).toBeGreaterThan(sentimentOf('that is great'));
  });

  it('reads emotes by the character that stands for them, and neither names nor addresses', () => {
    const fragments = fragmentsOf(':fire: @hate_great https://example.com/awful', (name) =>
      name === 'fire' ? { emoji: '🔥' } : undefined,
    );
    expect(moodOf(sentimentOf(spokenOf(fragments)))).toBe('positive');
    expect(sentimentOf(spokenOf(fragments.slice(1)))).toBe(0);
  });

  it('is a number between -1 and 1 for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 500 }), (text) => {
        const score = sentimentOf(text);
        expect(score).toBeGreaterThanOrEqual(-1);
        expect(score).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('agrees with people about three of four lines of a chat, and takes glad for angry, or the other way, in fewer than one of twenty', () => {
    const judged = labelledChat.map(([label, text]) => ({ label, mood: moodOf(sentimentOf(text)) }));
    const right = judged.filter(({ label, mood }) => label === mood).length;
    const opposite = judged.filter(
      ({ label, mood }) => label !== mood && label !== 'neutral' && mood !== 'neutral',
    ).length;
    expect(right / judged.length).toBeGreaterThanOrEqual(3 / 4);
    expect(opposite / judged.length).toBeLessThan(1 / 20);
  });
});
