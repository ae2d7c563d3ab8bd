import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { listStreamKeys } from '../../../src/integrations/aws/index.ts';
import { cleanUpChannels } from '../../../src/modules/live/index.ts';
import { call, sqlRows } from '../../support/worker/client.ts';
import { contextOf } from '../../support/worker/films.ts';
import { seedChannel } from '../../support/worker/live.ts';

const path = '/v1/me/live/channel/stream-key';
const { aws } = contextOf().config;

afterEach(() => vi.restoreAllMocks());

interface Fault {
  readonly operation: string;
  readonly loses: string;
}

/** An operation of IVS whose calls or whose answers get lost as long as a command runs. */
const fault = fc.option(
  fc.record({
    operation: fc.constantFrom('ListStreamKeys', 'DeleteStreamKey', 'CreateStreamKey', 'StopStream'),
    loses: fc.constantFrom('call', 'answer'),
  }),
);
const commands = fc.array(fc.record({ command: fc.constantFrom('make', 'revoke', 'clean up'), fault }), {
  minLength: 1,
  maxLength: 6,
});

function inject(wanted: Fault | null): void {
  if (wanted === null) return;
  const original = globalThis.fetch;
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
    if (!(input instanceof Request) || !input.url.endsWith(`/${wanted.operation}`))
      return original(input, init);
    if (wanted.loses === 'answer') await original(input, init);
    throw new TypeError('connection lost');
  });
}

it('whatever gets lost, IVS has one key at most, which its owner was shown, or will never have', async () => {
  await fc.assert(
    fc.asyncProperty(commands, async (steps) => {
      const { owner, arn } = await seedChannel();
      const inDatabase = async () => {
        const [row] = await sqlRows<{ key_arn: string | null; due: boolean }>(
          'SELECT key_arn, stop_due_at IS NOT NULL AS due FROM live_channels WHERE arn = $1',
          [arn],
        );
        return row;
      };
      for (const { command, fault: wanted } of steps) {
        inject(wanted);
        if (command === 'clean up') await cleanUpChannels(contextOf());
        const response =
          command === 'clean up'
            ? undefined
            : await call(command === 'make' ? 'POST' : 'DELETE', path, { token: owner.token });
        await response?.text();
        vi.restoreAllMocks();
        const [keys, row] = [await listStreamKeys(aws, arn), await inDatabase()];
        expect(keys.length).toBeLessThanOrEqual(1);
        if (response?.status === 201) {
          expect(keys).toEqual([row?.key_arn]);
          expect(row?.due).toBe(false);
        }
        if (command === 'make') expect([201, 503]).toContain(response?.status);
        if (command === 'revoke') {
          expect(response?.status).toBe(204);
          // What is left at IVS is on the list of what is to be done.
          expect(row?.key_arn).toBeNull();
          expect(row?.due).toBe(true);
        }
      }
      const before = await inDatabase();
      await cleanUpChannels(contextOf());
      if (before?.due === true) expect(await listStreamKeys(aws, arn)).toEqual([]);
      expect((await call('POST', path, { token: owner.token })).status).toBe(201);
      expect(await listStreamKeys(aws, arn)).toEqual([(await inDatabase())?.key_arn]);
    }),
    { numRuns: 12 },
  );
}, 240_000);
