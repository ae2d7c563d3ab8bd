import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createGuardLeases, leaseMs } from '../../../src/http/session-guard/leases.ts';

const token = { userId: 'u', sessionId: 's', epoch: 1 };
const nothing = { epoch: 0, ended: [] };
const farMs = 1e12;

describe('a lease on the state of a user', () => {
  it('runs for less than ten seconds from the question, not from the answer', () => {
    expect(leaseMs).toBeLessThanOrEqual(10_000);
    const leases = createGuardLeases();
    expect(leases.decide(token, 0)).toBe('unknown');
    leases.note('u', nothing, 1_000);
    expect(leases.decide(token, 1_000 + leaseMs - 1)).toBe('live');
    expect(leases.decide(token, 1_000 + leaseMs)).toBe('unknown');
    expect(leases.decide({ ...token, userId: 'other' }, 1_000)).toBe('unknown');
  });

  it('refuses ended sessions and lower epochs, and no others', () => {
    const leases = createGuardLeases();
    leases.note('u', { epoch: 2, ended: [{ sessionId: 's', untilMs: farMs }] }, 0);
    expect(leases.decide({ ...token, epoch: 2 }, 1)).toBe('ended');
    expect(leases.decide({ ...token, sessionId: 't', epoch: 1 }, 1)).toBe('ended');
    expect(leases.decide({ ...token, sessionId: 't', epoch: 2 }, 1)).toBe('live');
    expect(leases.decide({ ...token, sessionId: 't', epoch: 3 }, 1)).toBe('live');
  });

  it('remembers what this isolate ended, without a lease and against an older answer that comes later', () => {
    const leases = createGuardLeases();
    leases.noteEnd('u', { epoch: 0, ended: [{ sessionId: 's', untilMs: farMs }] });
    expect(leases.decide(token, 1)).toBe('ended');
    expect(leases.decide({ ...token, sessionId: 't' }, 1)).toBe('unknown');
    leases.note('u', nothing, 1);
    expect(leases.decide(token, 2)).toBe('ended');
    expect(leases.decide(token, 2 + leaseMs)).toBe('ended');
    expect(leases.decide({ ...token, sessionId: 't' }, 2)).toBe('live');
  });

  it('is not shortened by an answer to an older question', () => {
    const leases = createGuardLeases();
    leases.note('u', nothing, 5_000);
    leases.note('u', nothing, 0);
    expect(leases.decide(token, 5_000 + leaseMs - 1)).toBe('live');
  });

  it('forgets ended sessions whose tokens have expired', () => {
    const leases = createGuardLeases();
    leases.noteEnd('u', { epoch: 0, ended: [{ sessionId: 's', untilMs: 100 }] });
    expect(leases.decide(token, 99)).toBe('ended');
    expect(leases.decide(token, 100)).toBe('unknown');
  });

  it('drops the users not seen for longest, who are asked for again', () => {
    const leases = createGuardLeases(2);
    for (const userId of ['a', 'b']) leases.note(userId, nothing, 0);
    expect(leases.decide({ ...token, userId: 'a' }, 1)).toBe('live');
    leases.note('c', nothing, 0);
    expect(leases.decide({ ...token, userId: 'b' }, 1)).toBe('unknown');
    expect(leases.decide({ ...token, userId: 'a' }, 1)).toBe('live');
    expect(leases.decide({ ...token, userId: 'c' }, 1)).toBe('live');
  });

  it('never lets an ended session pass longer than the bound, in any order of questions, ends and answers', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 6_000 }) }),
      fc.record({ kind: fc.constant('end' as const), session: fc.constantFrom('s', 't') }),
      fc.record({ kind: fc.constant('raise' as const) }),
      fc.record({ kind: fc.constant('ask' as const), answerAfter: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ kind: fc.constant('use' as const), session: fc.constantFrom('s', 't') }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 80 }), (steps) => {
        const leases = createGuardLeases();
        let nowMs = 0;
        let epochRaisedAt: number | undefined;
        const endedAt = new Map<string, number>();
        const pending: { due: number; state: Parameters<typeof leases.note>[1]; askedAt: number }[] = [];
        for (const [index, one] of steps.entries()) {
          for (const answer of pending.splice(0))
            if (answer.due <= index) leases.note('u', answer.state, answer.askedAt);
            else pending.push(answer);
          if (one.kind === 'wait') nowMs += one.ms;
          else if (one.kind === 'end') endedAt.set(one.session, endedAt.get(one.session) ?? nowMs);
          else if (one.kind === 'raise') epochRaisedAt ??= nowMs;
          else if (one.kind === 'ask')
            pending.push({
              due: index + one.answerAfter,
              askedAt: nowMs,
              state: {
                epoch: epochRaisedAt === undefined ? 0 : 2,
                ended: [...endedAt.keys()].map((sessionId) => ({ sessionId, untilMs: farMs })),
              },
            });
          else {
            const since = Math.min(endedAt.get(one.session) ?? farMs, epochRaisedAt ?? farMs);
            const verdict = leases.decide({ userId: 'u', sessionId: one.session, epoch: 1 }, nowMs);
            if (verdict === 'live') expect(nowMs - since).toBeLessThan(10_000);
            if (verdict === 'ended') expect(since).toBeLessThanOrEqual(nowMs);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
