import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listObjects } from '../../../src/integrations/aws/index.ts';
import { reconcileScans } from '../../../src/modules/videos/index.ts';
import { call, seedUser, sqlRows } from '../../support/worker/client.ts';
import {
  contextOf,
  type ScanEvent,
  scanEvents,
  sendWebhook,
  uploadToQuarantine,
} from '../../support/worker/films.ts';
import { deliver, type SentMessage, takeMessages } from '../../support/worker/queues.ts';

// One upload after another under everything that may happen to it, against what must hold at every moment.

type Step =
  | { readonly kind: 'report'; readonly status: string }
  | { readonly kind: 'deliver'; readonly which: number; readonly failingCall: number | undefined }
  | { readonly kind: 'redeliver'; readonly which: number }
  | { readonly kind: 'lose'; readonly which: number }
  | { readonly kind: 'cron'; readonly minutes: number; readonly failingCall: number | undefined }
  | { readonly kind: 'retry' }
  | { readonly kind: 'delete' };

const failingCall = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
const status = fc.oneof(
  { weight: 4, arbitrary: fc.constant('NO_THREATS_FOUND') },
  { weight: 1, arbitrary: fc.constantFrom('THREATS_FOUND', 'UNSUPPORTED', 'FAILED', 'ACCESS_DENIED') },
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('report' as const), status }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), which: fc.nat(9), failingCall }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('redeliver' as const), which: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), which: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('cron' as const),
      minutes: fc.constantFrom(0, 3, 40),
      failingCall,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'retry' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'delete' as const }) },
);

/** Breaks the n-th call to anything outside, as a crash or an outage does; what came before it has happened. */
async function breakingAt<T>(nth: number | undefined, work: () => Promise<T>): Promise<T | undefined> {
  if (nth === undefined) return work();
  const real = globalThis.fetch;
  let calls = 0;
  globalThis.fetch = (input, init) => {
    calls += 1;
    return calls >= nth ? Promise.reject(new TypeError('Network connection lost.')) : real(input, init);
  };
  try {
    return await work();
  } catch {
    return undefined;
  } finally {
    globalThis.fetch = real;
  }
}

it('no file gets past the scan unless it was found clean, and no video waits for ever', async () => {
  const content = new Uint8Array(1_000).fill(7);

  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 4, maxLength: 14 }), async (plan) => {
      const owner = await seedUser();
      const { videoId, videoUuid } = await uploadToQuarantine(owner, content);
      const [scanned] = await scanEvents(videoUuid);
      if (scanned === undefined) throw new Error('the file was not scanned');
      let waiting: SentMessage[] = takeMessages();
      const delivered: SentMessage[] = [];
      // Queues lose nothing; only events from outside get lost.
      const deletions: SentMessage[] = [];
      let released = 0;

      const collect = () => {
        for (const message of takeMessages()) {
          if (message.body.type === 'video.released') released += 1;
          else if (message.body.type === 'video.uploaded' || message.body.type === 'guardduty.object_scanned')
            waiting.push(message);
          else if (message.body.type === 'video.deleted') deletions.push(message);
        }
      };
      const hand = async (message: SentMessage, nth?: number) => {
        const result = await breakingAt(nth, () => deliver([message]));
        if (result?.retried !== 0 && !waiting.includes(message)) waiting.push(message);
        collect();
      };

      const check = async () => {
        const [video] = await sqlRows<{
          state: string;
          code: string | null;
          key: string | null;
          gone: boolean;
        }>(
          'SELECT state, failure_code AS code, source_key AS key, deleted_at IS NOT NULL AS gone FROM videos WHERE id = $1',
          [videoUuid],
        );
        const [scan] = await sqlRows<{ verdict: string | null }>(
          'SELECT verdict FROM upload_scans WHERE video_id = $1',
          [videoUuid],
        );
        const isPast = video?.state === 'probing';
        expect(released).toBeLessThanOrEqual(1);
        if (isPast) {
          expect(scan?.verdict).toBe('clean');
          expect(video?.key).toMatch(/^originals\//);
        } else {
          expect(video?.key).toBeNull();
          expect(['scanning', 'failed']).toContain(video?.state);
        }
        if (video?.state === 'failed') expect(video.code).not.toBeNull();
        return { video, verdict: scan?.verdict };
      };

      for (const step of plan) {
        switch (step.kind) {
          case 'report': {
            const event: ScanEvent = {
              ...scanned,
              id: crypto.randomUUID(),
              detail: {
                ...scanned.detail,
                scanResultDetails: { scanResultStatus: step.status, threats: null },
              },
            };
            await sendWebhook(event);
            collect();
            break;
          }
          case 'deliver': {
            const message = waiting[step.which % Math.max(1, waiting.length)];
            if (message === undefined) break;
            waiting = waiting.filter((other) => other !== message);
            delivered.push(message);
            await hand(message, step.failingCall);
            break;
          }
          case 'redeliver': {
            const message = delivered[step.which % Math.max(1, delivered.length)];
            if (message !== undefined) await hand(message);
            break;
          }
          case 'lose':
            waiting.splice(step.which % Math.max(1, waiting.length), 1);
            break;
          case 'cron':
            await breakingAt(step.failingCall, () =>
              reconcileScans(contextOf({ clockMs: Date.now() + step.minutes * 60_000 })),
            );
            collect();
            break;
          case 'retry':
            await call('POST', `/v1/videos/${videoId}/retry`, { token: owner.token });
            collect();
            break;
          case 'delete':
            await call('DELETE', `/v1/videos/${videoId}`, { token: owner.token });
            collect();
            break;
        }
        await check();
      }

      // Whatever was lost or broken off: the cron brings it to an end.
      for (let round = 1; round <= 8; round += 1) {
        await sqlRows(
          "UPDATE upload_scans SET last_checked_at = now() - interval '1 hour' WHERE video_id = $1 AND cleared_at IS NULL",
          [videoUuid],
        );
        await reconcileScans(contextOf({ clockMs: Date.now() + 3 * 60_000 }));
        for (const message of waiting.splice(0)) await hand(message);
      }
      const { video, verdict } = await check();
      const { aws } = contextOf().config;
      const held = async (folder: string) =>
        (await listObjects(aws, { bucket: aws.uploadsBucket, prefix: `${folder}/${videoUuid}/` })).keys
          .length;
      if (video?.gone === true) {
        for (const message of deletions) await hand(message);
        expect(await held('originals')).toBe(0);
        expect(await held('quarantine')).toBe(0);
        return;
      }
      expect(['probing', 'failed']).toContain(video?.state);
      expect(await held('originals')).toBe(video?.state === 'probing' ? 1 : 0);
      if (video?.state === 'probing') expect(await held('quarantine')).toBe(0);
      if (video?.code === 'infected' || video?.code === 'scan_unsupported')
        expect(await held('quarantine')).toBe(0);
      if (verdict === 'infected') expect(video?.code).toBe('infected');
    }),
    { numRuns: 20, endOnFailure: true },
  );
}, 900_000);
