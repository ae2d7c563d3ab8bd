import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  betweenRelays,
  type ChatClient,
  chatRelay,
  chatRoom,
  chatter,
  decideInChannel,
  enterRoom,
  headOf,
  logOf,
  newRoom,
  textOf,
  until,
} from '../support/worker/chat.ts';

const people = ['ada', 'bob', 'cleo', 'dan'] as const;

type Step =
  | { readonly kind: 'join' | 'come back' | 'leave'; readonly who: number }
  | { readonly kind: 'send'; readonly who: number; readonly again: boolean }
  | { readonly kind: 'silence' | 'pardon' | 'promote' | 'demote'; readonly who: number }
  | { readonly kind: 'delay'; readonly seconds: number }
  | { readonly kind: 'evict room' | 'evict relay' | 'delete last' | 'wait' }
  | { readonly kind: 'trouble'; readonly what: 'lose' | 'repeat' | 'fail' | 'none' };

const who = fc.nat(people.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('join', 'come back', 'leave'), who }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('send'), who, again: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('silence', 'pardon'), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('promote', 'demote'), who }) },
  // Rooms have whole seconds; these are short so that many games are played.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delay'), seconds: fc.constantFrom(0, 0.1, 0.3) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('evict room', 'evict relay', 'delete last', 'wait') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('trouble'),
      what: fc.constantFrom('lose', 'repeat', 'fail', 'none'),
    }),
  },
);

/** Takes an object out of memory, if it is there. */
const evict = (stub: Parameters<typeof evictDurableObject>[0]): Promise<void> =>
  evictDurableObject(stub).catch((error: unknown) => {
    if (!String(error).includes('not currently running')) throw error;
  });

/** Carries steps out on a room of its own, and holds what its clients got against the guarantee. */
async function play(steps: readonly Step[]): Promise<void> {
  const room = newRoom();
  const stub = chatRoom(room.streamId);
  const facts = people.map((name) => chatter(name));
  const silenced = new Set<number>();
  const clients = new Map<number, ChatClient>();
  const everybody: ChatClient[] = [];
  const acknowledged: { readonly id: string; readonly seq: number; readonly text: string }[] = [];
  /** Who ever kept order, and saw what others did not yet. */
  const everKeepers = new Set<number>();
  const keepers = new Set<number>();
  const owners = new Map<ChatClient, number>();
  const delays = new Map<string, number>();
  let delayMs = 0;
  let version = 0;
  let count = 0;
  let lastSent: { readonly who: number; readonly clientId: string; readonly text: string } | undefined;

  const send = async (index: number, again: boolean): Promise<void> => {
    const message =
      again && lastSent?.who === index
        ? lastSent
        : { who: index, clientId: `c${count}`, text: `message ${count}` };
    count += 1;
    lastSent = message;
    const person = facts[index];
    if (person === undefined) return;
    const isKnown = acknowledged.some(({ text }) => text === message.text);
    const result = await stub.send(person.userId, message, { room, facts: person });
    if ('unknown' in result) throw new Error('unknown');
    // Twenty in half a minute are not reached; only a ban stands in the way of what was not said yet.
    expect(result.is_sent).toBe(isKnown || !silenced.has(index));
    if (result.is_sent && !isKnown) delays.set(message.text, keepers.has(index) ? 0 : delayMs);
    if (result.is_sent) acknowledged.push({ id: result.message_id, seq: result.seq, text: message.text });
  };

  for (const action of steps) {
    switch (action.kind) {
      case 'join':
      case 'come back': {
        const old = clients.get(action.who);
        old?.socket.close(1000);
        const after = action.kind === 'come back' ? old?.last() : undefined;
        const client = await enterRoom(room, facts[action.who], after);
        clients.set(action.who, client);
        owners.set(client, action.who);
        everybody.push(client);
        break;
      }
      case 'leave':
        clients.get(action.who)?.socket.close(1000);
        clients.delete(action.who);
        break;
      case 'send':
        await send(action.who, action.again);
        break;
      case 'silence':
      case 'pardon': {
        const userId = facts[action.who]?.userId ?? '';
        version += 1;
        if (action.kind === 'silence') {
          await stub.act(room, { kind: 'silence', userId, seconds: 600, version });
          silenced.add(action.who);
        } else {
          await stub.act(room, { kind: 'unban', userId, version });
          silenced.delete(action.who);
        }
        break;
      }
      case 'promote':
      case 'demote': {
        const userId = facts[action.who]?.userId ?? '';
        version += 1;
        const role = action.kind === 'promote' ? 'moderator' : 'viewer';
        const ban = silenced.has(action.who) ? { untilMs: Date.now() + 600_000 } : null;
        const settings = { ...room.settings, moderator_delay_seconds: delayMs / 1_000 };
        if (action.kind === 'promote') everKeepers.add(action.who);
        await decideInChannel(room, { version, settings, standings: [{ userId, role, ban, warning: null }] });
        if (action.kind === 'promote') keepers.add(action.who);
        else keepers.delete(action.who);
        break;
      }
      case 'delay': {
        version += 1;
        delayMs = action.seconds * 1_000;
        const settings = { ...room.settings, moderator_delay_seconds: action.seconds };
        await stub.act(room, { kind: 'settings', settings, version });
        break;
      }
      case 'delete last': {
        const last = acknowledged.at(-1);
        if (last !== undefined) await stub.act(room, { kind: 'delete', messageId: last.id });
        break;
      }
      case 'evict room':
        await evict(stub);
        break;
      case 'evict relay':
        await evict(chatRelay(room.streamId));
        break;
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, 70));
        break;
      case 'trouble':
        await betweenRelays(room.streamId, (original) => async (relay, run) => {
          if (action.what === 'lose') return 0;
          if (action.what === 'fail') throw new Error('lost on the way');
          if (action.what === 'repeat') await original(relay, run);
          return original(relay, run);
        });
        break;
    }
  }

  // Troubles end, and everything that is late comes.
  await evict(stub);
  await runDurableObjectAlarm(stub);
  await runDurableObjectAlarm(chatRelay(room.streamId));
  const head = await headOf(room.streamId);
  await until(
    () => [...clients.values()].every((client) => client.last() === undefined || client.last() === head),
    'everybody has the whole log',
  );
  const log = await logOf(room.streamId);
  const bySeq = new Map(log.map((entry) => [entry.seq, entry]));
  for (const client of everybody) {
    expect(client.faults).toEqual([]);
    for (const { seq, event } of client.events) {
      const kept = bySeq.get(seq)?.event;
      // Words may have been taken out since.
      expect(event.type).toBe(kept?.type);
      if (event.type === 'message' && kept?.type === 'message') expect(event.id).toBe(kept.id);
    }
    if (everKeepers.has(owners.get(client) ?? -1)) continue;
    for (const { seq, at, event } of client.events)
      expect(client.arrivals.get(seq)).toBeGreaterThanOrEqual(at + (delays.get(textOf(event)) ?? 0));
  }
  expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
  for (const { id, seq, text } of acknowledged) {
    const kept = bySeq.get(seq)?.event;
    expect(kept).toMatchObject({ type: 'message', id });
    if (kept?.type === 'message' && kept.deleted !== true) expect(textOf(kept)).toBe(text);
  }
  for (const client of clients.values()) client.socket.close(1000);
}

it('gives every client a contiguous run of the log, none of it too early, whatever gets lost, repeated or evicted', async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), play), {
    numRuns: 60,
    endOnFailure: true,
  });
}, 300_000);
