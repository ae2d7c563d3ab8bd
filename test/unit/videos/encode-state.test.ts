import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyReport,
  isFinished,
  type JobFacts,
  type JobReport,
  videoTransitions,
} from '../../../src/modules/videos/policy/encode-state.ts';
import type { VideoState } from '../../../src/modules/videos/videos.schemas.ts';

interface World {
  readonly video: VideoState;
  readonly progress: number;
  readonly jobs: readonly JobFacts[];
}

type WorldEvent =
  | { readonly kind: 'uploaded' | 'scanned' | 'probed' | 'refused' | 'retried' }
  | { readonly kind: 'reported'; readonly attempt: number; readonly report: JobReport };

const newJob: JobFacts = { state: 'submitting', phase: null, percent: 0, lastReportMs: null };

const move = (world: World, to: VideoState, rest: Partial<World> = {}): World =>
  videoTransitions[world.video].includes(to) ? { ...world, ...rest, video: to } : world;

/** What the statements do, each guarded by the state it leaves. */
function step(world: World, event: WorldEvent): World {
  switch (event.kind) {
    case 'uploaded':
      return world.video === 'uploading' ? move(world, 'scanning') : world;
    case 'scanned':
      return world.video === 'scanning' ? move(world, 'probing') : world;
    case 'probed':
      return world.video === 'probing' ? move(world, 'transcoding', { jobs: [newJob] }) : world;
    case 'refused':
      return world.video === 'probing' ? move(world, 'failed') : world;
    case 'retried':
      return world.video === 'failed' && world.jobs.length > 0
        ? move(world, 'transcoding', { jobs: [...world.jobs, newJob], progress: 0 })
        : world;
    case 'reported': {
      const job = world.jobs[event.attempt];
      if (job === undefined) return world;
      const transition = applyReport(
        { ...job, revision: 1, isLatestAttempt: event.attempt === world.jobs.length - 1 },
        { state: world.video, revision: 1, deleted: false },
        event.report,
      );
      if (!transition.applies) return world;
      const jobs = world.jobs.with(event.attempt, transition.job);
      const { video } = transition;
      if (video === undefined) return { ...world, jobs };
      return { video, progress: video === 'failed' ? world.progress : transition.job.percent, jobs };
    }
  }
}

const start: World = { video: 'uploading', progress: 0, jobs: [] };
const run = (events: readonly WorldEvent[], from = start): World => events.reduce(step, from);

const reports: fc.Arbitrary<JobReport> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('progress' as const),
      atMs: fc.integer({ min: 1, max: 50 }),
      percent: fc.option(fc.integer({ min: -5, max: 130 }), { nil: undefined }),
      phase: fc.option(fc.constantFrom('probing', 'transcoding', 'uploading'), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('complete' as const, 'error' as const, 'canceled' as const),
      atMs: fc.integer({ min: 1, max: 50 }),
    }),
  },
);

const anyEvent: fc.Arbitrary<WorldEvent> = fc.oneof(
  fc.constantFrom<WorldEvent>(
    { kind: 'uploaded' },
    { kind: 'scanned' },
    { kind: 'probed' },
    { kind: 'refused' },
    { kind: 'retried' },
  ),
  fc.record({
    kind: fc.constant('reported' as const),
    attempt: fc.integer({ min: 0, max: 3 }),
    report: reports,
  }),
  fc.record({
    kind: fc.constant('reported' as const),
    attempt: fc.integer({ min: 0, max: 3 }),
    report: reports,
  }),
);

const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...items], { minLength: items.length });

describe('any events in any order', () => {
  it('never leave what is published, never end an attempt twice, never count backwards within one', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
        let world = start;
        for (const event of events) {
          const next = step(world, event);
          if (world.video === 'published') expect(next.video).toBe('published');
          if (next.video !== world.video) expect(videoTransitions[world.video]).toContain(next.video);
          if (world.video === 'failed' && next.video !== 'failed') expect(event.kind).toBe('retried');
          for (const [index, job] of world.jobs.entries()) {
            const after = next.jobs[index];
            if (isFinished(job.state)) expect(after).toEqual(job);
            expect(after?.percent).toBeGreaterThanOrEqual(job.percent);
            expect(after?.lastReportMs ?? 0).toBeGreaterThanOrEqual(job.lastReportMs ?? 0);
          }
          if (next.jobs.length === world.jobs.length)
            expect(next.progress).toBeGreaterThanOrEqual(world.progress);
          expect(next.progress).toBeGreaterThanOrEqual(0);
          expect(next.progress === 100).toBe(next.video === 'published');
          const running = next.jobs.filter((job) => !isFinished(job.state));
          expect(running.length).toBeLessThanOrEqual(1);
          if (next.video === 'transcoding') expect(running.length).toBe(1);
          world = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('change nothing the second time', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), anyEvent, (events, event) => {
        const once = step(run(events), event);
        if (event.kind === 'reported') expect(step(once, event)).toEqual(once);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the events of one encode', () => {
  const history = fc
    .record({
      percents: fc
        .array(fc.integer({ min: 0, max: 99 }), { maxLength: 8 })
        .map((list) => list.sort((a, b) => a - b)),
      end: fc.constantFrom('complete' as const, 'error' as const, 'canceled' as const),
    })
    .map(({ percents, end }): WorldEvent[] => [
      ...percents.map(
        (percent, index): WorldEvent => ({
          kind: 'reported',
          attempt: 0,
          report: { kind: 'progress', atMs: index + 1, percent, phase: 'transcoding' },
        }),
      ),
      { kind: 'reported', attempt: 0, report: { kind: end, atMs: percents.length + 1 } },
    ]);
  const encoding = run([{ kind: 'uploaded' }, { kind: 'scanned' }, { kind: 'probed' }]);

  it('end alike whatever order they arrive in and however often', () => {
    fc.assert(
      fc.property(
        history.chain((events) => fc.tuple(fc.constant(events), shuffled([...events, ...events, ...events]))),
        ([events, scrambled]) => {
          const ordered = run(events, encoding);
          const arrived = run(scrambled, encoding);
          expect(arrived.video).toBe(ordered.video);
          expect(arrived.jobs[0]?.state).toBe(ordered.jobs[0]?.state);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('show the newest progress as long as there is no end', () => {
    fc.assert(
      fc.property(
        history.chain((events) => shuffled(events.slice(0, -1))),
        (scrambled) => {
          const highest = Math.max(
            0,
            ...scrambled.flatMap((event) =>
              event.kind === 'reported' && event.report.kind === 'progress'
                ? [event.report.percent ?? 0]
                : [],
            ),
          );
          expect(run(scrambled, encoding).progress).toBe(highest);
        },
      ),
    );
  });

  it('of an attempt that is over have no say in the next one', () => {
    const failed = run(
      [{ kind: 'reported', attempt: 0, report: { kind: 'error', atMs: 5 } }, { kind: 'retried' }],
      encoding,
    );
    fc.assert(
      fc.property(history, (late) => {
        expect(run(late, failed)).toEqual(failed);
      }),
    );
    const done = run([{ kind: 'reported', attempt: 1, report: { kind: 'complete', atMs: 9 } }], failed);
    expect(done.video).toBe('published');
  });
});

describe('a report about a job that no longer speaks for its video', () => {
  const job = { ...newJob, revision: 1, isLatestAttempt: true };
  const complete: JobReport = { kind: 'complete', atMs: 1 };

  it('ends the job and leaves the video alone', () => {
    for (const [facts, video] of [
      [job, { state: 'transcoding', revision: 2, deleted: false }],
      [job, { state: 'transcoding', revision: 1, deleted: true }],
      [job, { state: 'failed', revision: 1, deleted: false }],
      [
        { ...job, isLatestAttempt: false },
        { state: 'transcoding', revision: 1, deleted: false },
      ],
    ] as const)
      expect(applyReport(facts, video, complete)).toMatchObject({
        applies: true,
        job: { state: 'complete' },
        video: undefined,
      });
  });
});
