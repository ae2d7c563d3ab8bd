import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { colourOf, colours, type ToldColours } from '../../../src/modules/videos/policy/colour.ts';
import { buildJobRequest } from '../../../src/modules/videos/policy/job-settings.ts';
import { planStream } from '../../../src/modules/videos/policy/make-plan.ts';
import { encodeTarget, planPolicy, plans } from '../../support/encode-plans.ts';

describe('the colours of a source', () => {
  it.each<[ToldColours, string]>([
    [{ primaries: 'bt2020', transfer: 'pq', matrix: 'bt2020-ncl' }, 'pq'],
    [{ primaries: 'bt2020', transfer: 'hlg', matrix: 'bt2020-ncl' }, 'hlg'],
    [{ primaries: 'ITU_2020', transfer: 'SMPTE_2084', matrix: 'ITU_2020_NCL' }, 'pq'],
    [{ primaries: 'ITU_2020', transfer: 'ARIB_B67', matrix: 'ITU_2020_NCL' }, 'hlg'],
    // Brightness alone decides: primaries are often left out.
    [{ transfer: 'pq' }, 'pq'],
    [{ primaries: 'UNSPECIFIED', transfer: 'ARIB_B67', matrix: 'UNSPECIFIED' }, 'hlg'],
    [{ primaries: 'bt2020', transfer: null, matrix: null }, 'wide'],
    [{ primaries: 'ITU_2020', transfer: 'ITU_2020_10bit', matrix: 'ITU_2020_NCL' }, 'wide'],
    [{ primaries: null, transfer: 'bt709', matrix: 'bt2020-ncl' }, 'wide'],
    [{ primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }, 'plain'],
    [{ primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m' }, 'plain'],
    [{}, 'plain'],
  ])('told as %j are %s', (told, colour) => {
    expect(colourOf(told)).toBe(colour);
  });
});

describe('the job of a film', () => {
  const correctors = {
    plain: undefined,
    wide: { ColorSpaceConversion: 'FORCE_709' },
    pq: { ColorSpaceConversion: 'FORCE_709', HdrToSdrToneMapper: 'VIBRANT' },
    hlg: { ColorSpaceConversion: 'FORCE_709', HdrToSdrToneMapper: 'PRESERVE_DETAILS' },
  } as const;

  it('asks for BT.709 in everything that shows a picture, if the film is not so already', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const outputs = (buildJobRequest(plan, encodeTarget).Settings?.OutputGroups ?? []).flatMap(
          (group) => group.Outputs ?? [],
        );
        const pictures = outputs.flatMap(({ VideoDescription }) => VideoDescription ?? []);
        expect(pictures.length > 0).toBe(plan.rungs.length > 0);
        for (const { VideoPreprocessors } of pictures)
          expect(VideoPreprocessors?.ColorCorrector).toEqual(correctors[plan.colour]);
      }),
    );
  });

  it.each(colours)('keeps that it was %s', (colour) => {
    const picture = { width: 1920, height: 1080, frameRate: 25, codec: 'hevc', colour };
    const facts = { durationMs: 10_000, picture, sound: undefined };
    const request = { videoId: '01964d2e-6d30-7c3a-8d2f-5a1b3c4d5e6f', revision: 1, sourceKey: 'x', facts };
    expect(planStream(request, planPolicy).colour).toBe(colour);
  });
});
