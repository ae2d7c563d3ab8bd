import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Packager } from '../../../local-cloud/ivs/live/packager.ts';
import { mediaPlaylist } from '../../../local-cloud/ivs/playback/playlists.ts';
import { newDirectory } from '../mediaconvert/directories.ts';
import { attribute, tagsOf } from './viewer.ts';

const packager = (dvrWindowSeconds: number, directory = newDirectory('packager')): Packager => {
  let nowMs = 0;
  return new Packager({
    directory,
    segmentSeconds: 2,
    targetSeconds: 3,
    dvrWindowSeconds,
    now: () => {
      nowMs += 100;
      return nowMs;
    },
    onSegment: () => {},
    onFailure: (error) => {
      throw error;
    },
  });
};
const fragment = (durationSeconds: number, independent: boolean) => ({
  data: Buffer.alloc(10),
  startSeconds: 0,
  durationSeconds,
  independent,
});

describe('a live window', () => {
  it('keeps the rules of HLS whatever comes in', async () => {
    const fragments = fc.array(
      fc.record({
        seconds: fc.double({ min: 0.02, max: 1.2, noNaN: true }),
        independent: fc.boolean(),
        init: fc.integer({ min: 0, max: 30 }).map((value) => value === 0),
      }),
      { minLength: 30, maxLength: 120 },
    );
    await fc.assert(
      fc.asyncProperty(fragments, fc.integer({ min: 2, max: 20 }), async (sent, window) => {
        const live = packager(window);
        live.addInit(Buffer.from('init'));
        let target: string | undefined;
        for (const { seconds, independent, init } of sent) {
          if (init) live.addInit(Buffer.from('init'));
          live.addFragment(fragment(seconds, independent));
          if (live.targetSeconds === undefined) continue;
          const list = mediaPlaylist(live, { lowLatency: true, others: [] });
          const [duration = ''] = tagsOf(list, 'EXT-X-TARGETDURATION');
          target ??= duration;
          expect(duration).toBe(target);
          for (const line of tagsOf(list, 'EXTINF'))
            expect(Math.round(Number.parseFloat(line))).toBeLessThanOrEqual(Number(duration));
          const numbers = live.segments.map(({ number }) => number);
          expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
          expect(tagsOf(list, 'EXT-X-MEDIA-SEQUENCE')).toEqual([String(numbers[0])]);
          const hint = attribute(tagsOf(list, 'EXT-X-PRELOAD-HINT')[0] ?? '', 'URI');
          expect(tagsOf(list, 'EXT-X-PART').map((line) => attribute(line, 'URI'))).not.toContain(hint);
        }
        live.end();
        await live.remove();
      }),
      { numRuns: 30 },
    );
  });

  it('takes no more memory and no more files after an hour than it needs', async () => {
    const directory = newDirectory('packager');
    const live = packager(20, directory);
    live.addInit(Buffer.from('init'));
    for (let count = 0; count < 60 * 60 * 4; count += 1) live.addFragment(fragment(0.25, count % 8 === 0));
    await live.flushed();
    expect(live.segments.length).toBeLessThanOrEqual(13);
    expect(live.segments.filter(({ parts }) => parts.length > 0).length).toBeLessThanOrEqual(6);
    expect(readdirSync(directory).length).toBeLessThanOrEqual(14);
    expect(live.segments.at(-1)?.number).toBeGreaterThan(1790);
    await live.remove();
  });

  it('lets waiting players know of the end', async () => {
    const live = packager(20);
    live.addInit(Buffer.from('init'));
    live.addFragment(fragment(1, true));
    const waiting = live.wait(() => live.segments.length > 5, 600_000);
    live.end();
    expect(await waiting).toBe(false);
    expect(mediaPlaylist(live, { lowLatency: true, others: [] })).toContain('#EXT-X-ENDLIST');
    await live.remove();
  });
});
