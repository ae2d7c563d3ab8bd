import { describe, expect, it } from 'vitest';
import { parseList } from '../../support/worker/structured-fields.ts';

describe('the parser the header tests rely on', () => {
  it('reads what RFC 9651 allows', () => {
    expect(parseList('"a b";q=1;w=-2.5, tok/en;on, ?0;x=?1, :aGk=:, "q\\"\\\\"')).toEqual([
      { value: 'a b', parameters: { q: 1, w: -2.5 } },
      { value: { token: 'tok/en' }, parameters: { on: true } },
      { value: false, parameters: { x: true } },
      { value: new Uint8Array([104, 105]), parameters: {} },
      { value: 'q"\\', parameters: {} },
    ]);
    expect(parseList('')).toEqual([]);
  });

  it('refuses what it does not', () => {
    for (const text of [
      'a,', ',a', '"open', '"bad\\n"', 'a b', '"a";Q=1', '"a";q=', ':a-b:', '1.2345', '1234567890123456', '"ü"', '"a" ;q=1',
    ]) // biome-ignore format: one list
      expect(() => parseList(text), text).toThrow(SyntaxError);
    expect(() => parseList(null)).toThrow(SyntaxError);
  });
});
