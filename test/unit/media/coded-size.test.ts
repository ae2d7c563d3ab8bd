import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CodecConfig, codedSizeOf } from '../../../src/integrations/media/coded-size.ts';
import { avcConfig } from '../../support/worker/containers.ts';

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

// As x264, x265 and SVT-AV1 write them for a picture of 320 by 180.
const configs: [string, CodecConfig, string, number][] = [
  ['H.264', 'avcC', '0142c00cffe100176742c00cda05067e7c0440000003004000000c83c50aa801000468ce0fc8', 192],
  [
    'H.264 with ten bits',
    'avcC',
    '016e000cffe1001a676e000ca6cd941419f9f011000003000100000300320f14299601000668ebe3cb22c0fdfafa00',
    192,
  ],
  [
    'H.265',
    'hvcC',
    '0101600000009000000000003cf000fcfdf8f800000f01210001002b42010101600000030090000003000003003ca00a080c1f3e595952930bc05a020000030002000003003210',
    192,
  ],
  ['AV1', 'av1C', '81000c000a0b000000043cfecc02f80040', 180],
];

describe('the size a codec declares', () => {
  it.each(configs)('is read from the header of %s', (_, kind, hex, height) => {
    expect(codedSizeOf(kind, bytesOf(hex))).toEqual({ width: 320, height });
  });

  it('is read however large it is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 60_000 }),
        (columns, rows) => {
          const size = { width: columns * 16, height: rows * 16 };
          const config = avcConfig(size.width, size.height);
          // What was put together by hand lacks the bytes that keep start codes out.
          fc.pre(
            !/0000(?:00|01|02|03)/.test(
              Array.from(config, (byte) => byte.toString(16).padStart(2, '0')).join(''),
            ),
          );
          expect(codedSizeOf('avcC', config)).toEqual(size);
        },
      ),
    );
  });

  it('is unknown for headers that end too early, and none breaks the reader', () => {
    for (const [, kind, hex] of configs) {
      const whole = bytesOf(hex);
      for (let length = 0; length < whole.length; length += 1)
        expect(() => codedSizeOf(kind, whole.subarray(0, length))).not.toThrow();
      expect(codedSizeOf(kind, whole.subarray(0, 4))).toBeUndefined();
    }
    fc.assert(
      fc.property(
        fc.constantFrom<CodecConfig[]>('avcC', 'hvcC', 'av1C'),
        fc.uint8Array({ maxLength: 400 }),
        (kind, bytes) => {
          const size = codedSizeOf(kind, bytes);
          if (size !== undefined) expect(size.width).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
