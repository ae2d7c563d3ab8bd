import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  deliverDue,
  handOutDeliveries,
} from '../../../src/modules/webhook-endpoints/usecases/deliver-due.ts';
import { encodeId } from '../../../src/shared/ids.ts';
import { call, callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { breakDatabase } from '../../support/worker/faults.ts';
import { deliver, type SentMessage, takeMessages } from '../../support/worker/queues.ts';
import { type Receiver, startReceiver } from '../../support/worker/receiver.ts';
import { createEndpoint, endpointsPath, videoDeleted } from '../../support/worker/webhooks.ts';
import { contextAt, endpointUuid } from './context.ts';

vi.setConfig({ testTimeout: 300_000 });

let receiver: Receiver;
beforeAll(() => {
  receiver = startReceiver();
});
afterAll(async () => {
  receiver.restore();
  await breakDatabase({ mode: 'none' });
});

/** What can happen, in any order. */
type Step =
  | { readonly kind: 'event' }
  /** Messages asked for so far arrive: `pick` chooses where to begin, `twice` repeats each. */
  | { readonly kind: 'messages'; readonly pick: number; readonly twice: boolean; readonly answer: Answer }
  /** The message of an event that arrived before comes again. */
  | { readonly kind: 'again'; readonly pick: number }
  | { readonly kind: 'lose messages' }
  | { readonly kind: 'cron' }
  | { readonly kind: 'time'; readonly minutes: number }
  | { readonly kind: 'rotate' }
  | { readonly kind: 'disable' }
  | { readonly kind: 'enable' }
  | { readonly kind: 'delete' };

/** How the receiver answers, and when the Worker dies: before it writes that down, or after without knowing. */
type Answer = 200 | 500 | 'silence' | 'crash before' | 'crash after';

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step>({ kind: 'event' }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('messages' as const),
      pick: fc.nat({ max: 5 }),
      twice: fc.boolean(),
      answer: fc.constantFrom<Answer>(200, 500, 'silence', 'crash before', 'crash after'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('again' as const), pick: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'lose messages' }) },
  { weight: 3, arbitrary: fc.constant<Step>({ kind: 'cron' }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('time' as const), minutes: fc.constantFrom(1, 6, 40, 600) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'rotate' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'disable' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'enable' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'delete' }) },
);

class World {
  nowMs = Date.now() + 1_000;
  enabled = true;
  deleted = false;
  readonly events: SentMessage[] = [];
  /** Events that happened while the endpoint was there and enabled. */
  readonly owed = new Set<string>();
  readonly secrets: string[];
  pending: SentMessage[] = [];
  readonly arrived = new Map<string, string>();

  readonly user: TestUser;
  readonly id: string;
  readonly uuid: string;

  constructor(user: TestUser, id: string, secret: string) {
    this.user = user;
    this.id = id;
    this.uuid = endpointUuid(id);
    this.secrets = [secret];
  }

  private readonly own = () => `${endpointsPath}/${this.id}`;

  collect(): void {
    this.pending.push(...takeMessages().filter(({ body }) => body.type === 'webhooks.due'));
  }

  listen(answer: Answer): void {
    receiver.answer(async ({ url, headers, body }) => {
      expect(url, 'sent to a stranger').toContain(this.user.uuid);
      expect(this.deleted, 'sent after the deletion').toBe(false);
      expect(this.enabled, 'sent while disabled').toBe(true);
      expect(
        this.secrets.slice(-2).every(
          (secret) =>
            new Webhook(secret).verify(body, {
              ...headers,
              'webhook-timestamp': headers['webhook-timestamp'] ?? '',
            }) !== undefined,
        ),
      ).toBe(true);
      const id = headers['webhook-id'] ?? '';
      if (this.arrived.has(id)) expect(body, 'another body under the same id').toBe(this.arrived.get(id));
      if (answer === 'silence') throw new TypeError('connection lost');
      if (answer !== 500) this.arrived.set(id, body);
      if (answer === 'crash before') await breakDatabase({ mode: 'down', count: 1 });
      if (answer === 'crash after') await breakDatabase({ mode: 'down', count: 1, when: 'after' });
      return new Response('', { status: answer === 500 ? 500 : 200 });
    });
  }

  async take(messages: readonly SentMessage[]): Promise<void> {
    for (const { body } of messages)
      await deliverDue(contextAt(this.nowMs), String(body.data.endpoint_id)).catch(() => undefined);
    await breakDatabase({ mode: 'none' });
    this.collect();
  }

  async run(step: Step): Promise<void> {
    switch (step.kind) {
      case 'event': {
        const message = videoDeleted(this.user);
        this.events.push(message);
        if (this.enabled && !this.deleted) this.owed.add(encodeId('event', message.body.id));
        await deliver([message]);
        return this.collect();
      }
      case 'again': {
        const message = this.events[step.pick % Math.max(1, this.events.length)];
        if (message === undefined) return;
        // An endpoint that was disabled when it happened may get it now: it asked for events of this kind.
        await deliver([message]);
        return this.collect();
      }
      case 'messages': {
        this.listen(step.answer);
        const messages = this.pending.splice(0);
        const cut = step.pick % Math.max(1, messages.length);
        const reordered = [...messages.slice(cut), ...messages.slice(0, cut)];
        return this.take(step.twice ? reordered.flatMap((message) => [message, message]) : reordered);
      }
      case 'lose messages':
        this.pending.splice(0);
        return;
      case 'cron':
        await handOutDeliveries(contextAt(this.nowMs));
        return this.collect();
      case 'time':
        this.nowMs += step.minutes * 60_000;
        return;
      case 'rotate': {
        if (this.deleted) return;
        const { secret } = await callJson<{ secret: string }>(200, 'POST', `${this.own()}/rotate-secret`, {
          token: this.user.token,
          body: { overlap_seconds: 604_800 },
        });
        this.secrets.push(secret);
        return this.collect();
      }
      case 'disable':
      case 'enable': {
        if (this.deleted) return;
        this.enabled = step.kind === 'enable';
        await callJson(200, 'PATCH', this.own(), { token: this.user.token, body: { enabled: this.enabled } });
        return this.collect();
      }
      case 'delete':
        if (!this.deleted) await call('DELETE', this.own(), { token: this.user.token });
        this.deleted = true;
        return this.collect();
    }
  }

  /** Everything works again, and time passes. */
  async recover(): Promise<void> {
    this.listen(200);
    for (let round = 0; round < 12; round += 1) {
      await this.run({ kind: 'cron' });
      await this.take(this.pending.splice(0));
      this.nowMs += 26 * 3_600_000;
    }
  }
}

async function newWorld(): Promise<World> {
  const user = await seedUser();
  const { endpoint, secret } = await createEndpoint(user, {
    url: `https://r${user.uuid}.hooks.example.com/${user.uuid}`,
  });
  takeMessages();
  return new World(user, endpoint.id, secret);
}

it('sends every event at least once under one id and never after the deletion, whatever happens in between', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 4, maxLength: 22 }), async (script) => {
      const world = await newWorld();
      for (const step of script) await world.run(step);
      await world.recover();
      if (world.deleted) {
        const rows = await sqlRows('SELECT id FROM webhook_deliveries WHERE endpoint_id = $1', [world.uuid]);
        expect(rows).toEqual([]);
        return;
      }
      const rows = await sqlRows<{ event_id: string; state: string; reason: string | null }>(
        'SELECT event_id, state, failure_reason AS reason FROM webhook_deliveries WHERE endpoint_id = $1',
        [world.uuid],
      );
      const states = new Map(rows.map((row) => [encodeId('event', row.event_id), row]));
      for (const id of world.owed) {
        const row = states.get(id);
        expect(row, 'an event was lost').toBeDefined();
        if (row?.state === 'succeeded') expect(world.arrived.has(id)).toBe(true);
        // Nothing else may end without having arrived: ten attempts are more than a script can use up.
        else if (world.enabled) expect(row).toMatchObject({ state: 'failed', reason: 'endpoint_disabled' });
      }
    }),
    { numRuns: 40 },
  );
});
