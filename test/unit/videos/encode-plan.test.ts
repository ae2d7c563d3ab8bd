import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planLadder } from '../../../src/modules/videos/policy/encode-plan.ts';
import { refusalOf } from '../../../src/modules/videos/policy/probe-verdict.ts';

const sizes = (width: number, height: number, frameRate: number | null = 30): string[] =>
  planLadder({ width, height, frameRate }).map((rung) => `${rung.name} ${rung.width}x${rung.height}`);

describe('the encode ladder', () => {
  it('goes from 240p to the size of the source', () => {
    expect(sizes(1920, 1080)).toEqual([
      '240p 426x240',
      '360p 640x360',
      '480p 854x480',
      '720p 1280x720',
      '1080p 1920x1080',
    ]);
    expect(sizes(3840, 2160).at(-1)).toBe('2160p 3840x2160');
    expect(sizes(2560, 1440).at(-1)).toBe('1440p 2560x1440');
  });

  it('goes by the short side, so that portrait film gets the same sizes', () => {
    expect(sizes(1080, 1920)).toEqual([
      '240p 240x426',
      '360p 360x640',
      '480p 480x854',
      '720p 720x1280',
      '1080p 1080x1920',
    ]);
  });

  it('ends at 4K for larger sources, and within what the encoder takes for wide ones', () => {
    expect(sizes(7680, 4320).at(-1)).toBe('2160p 3840x2160');
    expect(sizes(8000, 2000).at(-1)).toBe('1024p 4096x1024');
  });

  it('has a size of its own for a source well between two, and for a tiny one', () => {
    expect(sizes(1920, 1040).at(-1)).toBe('1040p 1920x1040');
    expect(sizes(1920, 800).at(-1)).toBe('720p 1728x720');
    expect(sizes(320, 180)).toEqual(['180p 320x180']);
    expect(sizes(33, 33)).toEqual(['32p 32x32']);
  });

  it('gives more bits to more frames', () => {
    const top = (frameRate: number | null) =>
      planLadder({ width: 1280, height: 720, frameRate }).at(-1)?.maxBitrate;
    expect(top(25)).toBe(3_000_000);
    expect(top(null)).toBe(3_000_000);
    expect(top(60)).toBe(4_500_000);
  });

  it('never goes above the source, always rises, has even sides and at least one size for any film we accept', () => {
    const side = fc.integer({ min: 32, max: 8_192 });
    fc.assert(
      fc.property(side, side, fc.constantFrom(null, 24, 60), (width, height, frameRate) => {
        const rungs = planLadder({ width, height, frameRate });
        for (const rung of rungs) {
          expect(rung.width).toBeLessThanOrEqual(width);
          expect(rung.height).toBeLessThanOrEqual(height);
          expect((rung.width % 2) + (rung.height % 2)).toBe(0);
          expect(Math.min(rung.width, rung.height)).toBeGreaterThanOrEqual(32);
          expect(Math.max(rung.width, rung.height)).toBeLessThanOrEqual(4_096);
          expect(rung.maxBitrate).toBeGreaterThan(0);
        }
        for (const [index, rung] of rungs.entries())
          if (index > 0) expect(rung.maxBitrate).toBeGreaterThan(rungs[index - 1]?.maxBitrate ?? 0);
        expect(new Set(rungs.map((rung) => rung.name)).size).toBe(rungs.length);
        if (Math.max(width, height) / Math.min(width, height) <= 16) expect(rungs.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('the verdict on a probe', () => {
  const picture = { width: 1280, height: 720, frameRate: 25, codec: 'avc', colour: 'plain' as const };
  const film = { container: 'MP4', durationMs: 60_000, picture, sound: { codec: 'aac' } };
  const limits = { maxDurationSeconds: 3_600, maxSidePixels: 8_192 };

  it('accepts film with and without sound, and sound alone', () => {
    expect(refusalOf({ ...film, picture: undefined }, limits)).toBeUndefined();
    expect(refusalOf(film, limits)).toBeUndefined();
    expect(refusalOf({ ...film, sound: undefined }, limits)).toBeUndefined();
    expect(refusalOf({ ...film, durationMs: 3_600_000 }, limits)).toBeUndefined();
  });

  it('names what is wrong', () => {
    const refused = (changes: object) => refusalOf({ ...film, ...changes }, limits);
    expect(refused({ picture: undefined, durationMs: 3_600_001 })).toBe('too_long');
    expect(refused({ picture: undefined, sound: undefined })).toBe('truncated');
    expect(refused({ durationMs: 0 })).toBe('truncated');
    expect(refused({ durationMs: Number.NaN })).toBe('truncated');
    expect(refused({ durationMs: 3_600_001 })).toBe('too_long');
    expect(refused({ picture: { ...picture, width: 8_193 } })).toBe('too_large_dimensions');
    expect(refused({ picture: { ...picture, height: 31 } })).toBe('too_small_dimensions');
    expect(refused({ picture: { ...picture, width: 0 } })).toBe('too_small_dimensions');
    expect(refused({ picture: { ...picture, width: 8_192, height: 40 } })).toBe('unsupported_shape');
  });
});
