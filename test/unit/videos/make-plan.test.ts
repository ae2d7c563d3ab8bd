import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultEncodePrices as prices } from '../../../src/config/encode-prices.ts';
import { actualCost, estimateCost } from '../../../src/modules/videos/policy/encode-cost.ts';
import { chooseRun, planStream } from '../../../src/modules/videos/policy/make-plan.ts';
import { corners, placeWatermark } from '../../../src/modules/videos/policy/plan-pictures.ts';
import { clipTimecodes } from '../../../src/modules/videos/policy/timecode.ts';
import { planPolicy, plans, sources } from '../../support/encode-plans.ts';

const request = (facts: Parameters<typeof planStream>[0]['facts']) => ({
  videoId: '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f',
  revision: 1,
  sourceKey: 'originals/a/b.mp4',
  facts,
});
const hd = { width: 1920, height: 1080, frameRate: 25, codec: 'avc', colour: 'plain' as const };

describe('the plan of an encode', () => {
  it('keeps the shape of the film within a pixel, and never enlarges it', () => {
    fc.assert(
      fc.property(sources, (facts) => {
        const { picture } = facts;
        fc.pre(picture !== undefined);
        for (const rung of planStream(request(facts), planPolicy).rungs) {
          const scale = Math.min(rung.width / picture.width, rung.height / picture.height);
          expect(rung.width).toBeLessThanOrEqual(picture.width);
          expect(rung.height).toBeLessThanOrEqual(picture.height);
          // Even sides are up to one pixel off; the longer side shows it as many times over as it is longer.
          const ratio = Math.max(picture.width / picture.height, picture.height / picture.width);
          expect(Math.abs(rung.width - picture.width * scale)).toBeLessThanOrEqual(2 * ratio);
          expect(Math.abs(rung.height - picture.height * scale)).toBeLessThanOrEqual(2 * ratio);
        }
      }),
    );
  });

  it('treats film on its side as film upright, with the sides exchanged', () => {
    fc.assert(
      fc.property(sources, (facts) => {
        const { picture } = facts;
        fc.pre(picture !== undefined);
        const turned = { ...facts, picture: { ...picture, width: picture.height, height: picture.width } };
        const sizes = planStream(request(facts), planPolicy).rungs.map((rung) => [rung.width, rung.height]);
        expect(
          planStream(request(turned), planPolicy).rungs.map((rung) => [rung.height, rung.width]),
        ).toEqual(sizes);
      }),
    );
  });

  it('is sound alone for a file without pictures, and pictures alone for one without sound', () => {
    const heard = planStream(
      request({ durationMs: 1_000, picture: undefined, sound: { codec: 'mp3' } }),
      planPolicy,
    );
    expect(heard).toMatchObject({ rungs: [], hasAudio: true, storyboard: null, watermark: null });
    const seen = planStream(request({ durationMs: 1_000, picture: hd, sound: undefined }), planPolicy);
    expect(seen.hasAudio).toBe(false);
    expect(seen.rungs.length).toBeGreaterThan(0);
  });

  it('has scrub pictures of a size MediaConvert takes, whatever the film', () => {
    fc.assert(
      fc.property(plans, ({ storyboard }) => {
        if (storyboard === null) return;
        expect(storyboard.width % 8).toBe(0);
        expect(storyboard.height % 2).toBe(0);
        expect(storyboard.intervalSeconds).toBeGreaterThanOrEqual(1);
        expect(storyboard.intervalSeconds).toBeLessThanOrEqual(10);
      }),
    );
  });

  it('accelerates what is long or large, and hurries what is short', () => {
    const run = (minutes: number, picture = hd) =>
      chooseRun(
        planStream(request({ durationMs: minutes * 60_000, picture, sound: undefined }), planPolicy),
        planPolicy,
      );
    expect(run(3)).toEqual({ acceleration: 'DISABLED', lane: 'priority' });
    expect(run(19)).toEqual({ acceleration: 'DISABLED', lane: 'standard' });
    expect(run(20)).toEqual({ acceleration: 'PREFERRED', lane: 'standard' });
    const uhd = { ...hd, width: 3840, height: 2160 };
    expect(run(3, uhd)).toEqual({ acceleration: 'DISABLED', lane: 'standard' });
    expect(run(10, uhd).acceleration).toBe('PREFERRED');
  });
});

describe('a watermark', () => {
  it('stands whole in its corner, in its own shape, over any picture', () => {
    const side = fc.integer({ min: 32, max: 8_192 });
    fc.assert(
      fc.property(
        fc.record({ width: side, height: side }),
        fc.integer({ min: 16, max: 2_000 }),
        fc.integer({ min: 16, max: 2_000 }),
        fc.constantFrom(...corners),
        fc.integer({ min: 1, max: 50 }),
        (picture, width, height, corner, widthPercent) => {
          const placed = placeWatermark(
            { key: 'k.png', width, height, corner, opacityPercent: 50, widthPercent },
            picture,
          );
          if (placed === null) throw new Error('not placed');
          expect(placed.x + placed.width).toBeLessThanOrEqual(picture.width);
          expect(placed.y + placed.height).toBeLessThanOrEqual(picture.height);
          expect(placed.width).toBeLessThanOrEqual(Math.max(1, (picture.width * widthPercent) / 100));
          expect(placed.x <= picture.width - placed.x - placed.width).toBe(corner.endsWith('left'));
        },
      ),
    );
  });
});

describe('where a clip is cut', () => {
  it('counts frames, the last one included', () => {
    expect(clipTimecodes({ startMs: 0, endMs: 1_000 }, 25)).toEqual({
      start: '00:00:00:00',
      end: '00:00:00:24',
    });
    expect(clipTimecodes({ startMs: 3_661_040, endMs: 3_662_000 }, 25)).toEqual({
      start: '01:01:01:01',
      end: '01:01:01:24',
    });
    expect(clipTimecodes({ startMs: 0, endMs: 1 }, 25)).toEqual({ start: '00:00:00:00', end: '00:00:00:01' });
  });

  it('runs slower than the clock at 29.97 frames per second', () => {
    expect(clipTimecodes({ startMs: 3_603_600, endMs: 3_604_601 }, 30_000 / 1_001)).toEqual({
      start: '01:00:00:00',
      end: '01:00:00:29',
    });
  });

  it('goes by whole seconds where the rate is unknown or has no room in a timecode', () => {
    const seconds = { start: '00:00:01:00', end: '00:00:03:00' };
    expect(clipTimecodes({ startMs: 1_500, endMs: 2_100 }, null)).toEqual(seconds);
    expect(clipTimecodes({ startMs: 1_500, endMs: 2_100 }, 120)).toEqual(seconds);
  });
});

describe('what an encode costs', () => {
  const plan = planStream(request({ durationMs: 60_000, picture: hd, sound: { codec: 'aac' } }), planPolicy);

  it('is what each output costs: minutes, tier, resolution and frame rate, and the loudness of the sound', () => {
    // 240p, 360p, 480p at 0.0075; 720p and 1080p at twice that; sound 0.00225 and its loudness 0.001.
    expect(estimateCost(plan, prices)).toBe(3n * 7_500n + 2n * 15_000n + 2_250n + 1_000n);
    expect(estimateCost({ ...plan, frameRate: 60 }, prices)).toBe(
      3n * 9_375n + 2n * 18_750n + 2_250n + 1_000n,
    );
    expect(estimateCost({ ...plan, acceleration: 'PREFERRED' }, prices)).toBe(
      3n * 12_000n + 2n * 24_000n + 2_250n + 1_000n,
    );
  });

  it('has a smallest bill for an output', () => {
    expect(estimateCost({ ...plan, durationMs: 1 }, prices)).toBe(
      estimateCost({ ...plan, durationMs: 10_000 }, prices),
    );
  });

  it('is told anew by what was really made and whether it was really accelerated', () => {
    const accelerated = { ...plan, acceleration: 'PREFERRED' as const };
    const outputs = [
      ...plan.rungs.map(({ width, height }) => ({ width, height, durationMs: 30_000 })),
      { width: undefined, height: undefined, durationMs: 30_000 },
    ];
    expect(actualCost(accelerated, prices, { outputs, accelerated: false })).toBe(
      estimateCost({ ...plan, durationMs: 30_000 }, prices),
    );
    expect(actualCost(accelerated, prices, { outputs: [], accelerated: undefined })).toBe(
      estimateCost(accelerated, prices),
    );
  });

  it('never falls when a film gets longer, and is never nothing', () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 0, max: 1_000_000 }), (any, more) => {
        const now = estimateCost(any, prices);
        expect(now).toBeGreaterThan(0n);
        expect(estimateCost({ ...any, durationMs: any.durationMs + more }, prices)).toBeGreaterThanOrEqual(
          now,
        );
      }),
    );
  });
});
