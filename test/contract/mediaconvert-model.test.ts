import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toWire } from '../../src/integrations/aws/mediaconvert-wire.ts';
import type { EncodePlan } from '../../src/modules/videos/policy/encode-plan.ts';
import { buildJobRequest } from '../../src/modules/videos/policy/job-settings.ts';
import { encodeTarget, plans } from '../support/encode-plans.ts';
import { findServiceModel, problemsOf } from '../support/node/service-model.ts';

const found = findServiceModel('mediaconvert', '2017-08-29');
// One of years ago says nothing about the jobs of today.
const isRecent = found?.shapes.ScalingBehavior?.enum?.includes('FIT_NO_UPSCALE') === true;
const model = isRecent ? found : undefined;
if (found !== undefined && !isRecent)
  console.warn(
    'The botocore on this machine is too old: jobs are NOT checked against the MediaConvert service model.',
  );
if (found === undefined)
  console.warn(
    'No botocore on this machine (Debian: python3-botocore, or set BOTOCORE_DATA): jobs are NOT checked against the MediaConvert service model.',
  );
// Moving GIFs came to MediaConvert late; an older model cannot judge the jobs that make them.
const knowsGif = model?.shapes.ContainerType?.enum?.includes('GIF') === true;
if (model !== undefined && !knowsGif)
  console.warn('The botocore on this machine is from before animated GIFs: preview jobs are NOT checked.');

// So did these members; what a model does not know of is left out before it is asked.
const late = [
  ['ColorCorrector', 'HdrToSdrToneMapper', 'hdrToSdrToneMapper'],
  ['AudioNormalizationSettings', 'TruePeakLimiterThreshold', 'truePeakLimiterThreshold'],
] as const;
const unknown = new Set<string>(
  late.flatMap(([shape, member, name]) =>
    model?.shapes[shape]?.members?.[member] === undefined ? [name] : [],
  ),
);
if (model !== undefined && unknown.size > 0)
  console.warn(`The botocore on this machine is from before ${[...unknown].join(', ')}: NOT checked.`);

const wire = (plan: EncodePlan, target = encodeTarget): unknown =>
  JSON.parse(JSON.stringify(toWire(buildJobRequest(plan, target))), (name, value) =>
    unknown.has(name) ? undefined : value,
  );

describe.skipIf(model === undefined)('MediaConvert’s own service model', () => {
  const check = (body: unknown): string[] =>
    model === undefined ? [] : problemsOf(model, 'CreateJobRequest', body);

  it('finds nothing wrong with any job we can make', () => {
    fc.assert(
      fc.property(plans, fc.boolean(), (plan, queues) => {
        fc.pre(knowsGif || plan.kind !== 'preview');
        const more = {
          priorityQueueArn: `${encodeTarget.queueArn}-priority`,
          overflowQueueArn: `${encodeTarget.queueArn}-overflow`,
        };
        expect(check(wire(plan, queues ? { ...encodeTarget, ...more } : encodeTarget))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('would find what is wrong: names, words, ranges, patterns, keys of maps, what is missing', () => {
    const good = { role: 'arn:aws:iam::000000000000:role/x', settings: {} };
    expect(check(good)).toEqual([]);
    expect(check({ settings: {} })).toEqual(['/Role: is required']);
    expect(check({ ...good, Settings: {} })).toEqual(['/Settings: the model has no such member']);
    expect(check({ ...good, priority: 51 })).toHaveLength(1);
    expect(check({ ...good, priority: 'high' })).toHaveLength(1);
    expect(check({ ...good, accelerationSettings: { mode: 'ON' } })).toHaveLength(1);
    expect(check({ ...good, userMetadata: { any_Key: 7 } })).toHaveLength(1);
    const clip = { inputClippings: [{ startTimecode: '1:2' }] };
    expect(check({ ...good, settings: { inputs: [clip] } })).toHaveLength(1);
    const loud = { audioNormalizationSettings: { targetLkfs: -60 } };
    const outputGroups = [{ outputs: [{ audioDescriptions: [loud] }] }];
    expect(check({ ...good, settings: { outputGroups } })).toHaveLength(1);
  });
});
