import { describe, expect, it } from 'vitest';
import type { CaptionRow } from '../../../src/modules/videos/captions.repository.ts';
import { captionsToCut } from '../../../src/modules/videos/policy/clip-captions.ts';

const track = (language: string): CaptionRow => ({
  language,
  label: language.toUpperCase(),
  kind: 'subtitles',
  objectKey: `media/x/captions/${language}.vtt`,
  cueCount: 1,
  sizeBytes: 1,
  updatedAt: '2026-01-01T00:00:00.000Z',
});
const cutOf = (language: string, startMs: number, endMs: number) => ({
  language,
  label: language.toUpperCase(),
  kind: 'subtitles' as const,
  objectKey: `media/x/captions/${language}.vtt`,
  startMs,
  endMs,
});

describe('the captions of a clip', () => {
  it('are its part of each track', () => {
    const source = { captions: [track('de'), track('en')], captionsToCut: null };
    expect(captionsToCut(source, { startMs: 1_000, endMs: 3_000 })).toEqual([
      cutOf('de', 1_000, 3_000),
      cutOf('en', 1_000, 3_000),
    ]);
    expect(captionsToCut({ captions: [], captionsToCut: null }, { startMs: 0, endMs: 1 })).toEqual([]);
  });

  it('of a clip that waits for its own are parts of those parts, but for what it has been given since', () => {
    const source = {
      captions: [track('en')],
      captionsToCut: [cutOf('de', 5_000, 9_000), cutOf('en', 5_000, 9_000)],
    };
    expect(captionsToCut(source, { startMs: 1_000, endMs: 3_000 })).toEqual([
      cutOf('en', 1_000, 3_000),
      cutOf('de', 6_000, 8_000),
    ]);
    expect(captionsToCut(source, { startMs: 1_000, endMs: 9_000 })[1]).toEqual(cutOf('de', 6_000, 9_000));
  });
});
