import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ArchiveFlush } from '../../durable-objects/chat-room/archive-flush.ts';
import { type ChatEvent, keptEvents, type RoomFacts } from '../../durable-objects/chat-room/protocol.ts';
import { type Bindings, servicesOf } from '../../src/context.ts';
import { keepChat } from '../../src/modules/chat/archive.repository.ts';
import { decodeId } from '../../src/shared/ids.ts';
import { chatRoom, chatter, logOf, newRoom, textOf } from '../support/worker/chat.ts';
import { seedUser, sqlRows } from '../support/worker/client.ts';

interface Kept {
  readonly seq: number;
  readonly kind: string;
  readonly event: ChatEvent;
  readonly isDeleted: boolean;
}

const keptOf = (streamId: string): Promise<Kept[]> =>
  sqlRows<Kept>(
    `SELECT seq::int, kind, event, deleted_at IS NOT NULL AS "isDeleted" FROM chat_messages WHERE stream_id = $1 ORDER BY seq`,
    [streamId],
  );

/** A room with a stream, as the database has them. */
async function announced(): Promise<RoomFacts> {
  const owner = await seedUser();
  const room = { ...newRoom(), ownerId: owner.uuid };
  await sqlRows("INSERT INTO streams (id, owner_id, title) VALUES ($1, $2, 'Live')", [
    room.streamId,
    owner.uuid,
  ]);
  return room;
}

async function people(count: number) {
  const users = await Promise.all(Array.from({ length: count }, () => seedUser()));
  return users.map(({ uuid, username }) => chatter(username, { userId: uuid }));
}

async function say(room: RoomFacts, facts: ReturnType<typeof chatter>, text: string, replyTo?: string) {
  const input = { clientId: crypto.randomUUID(), text, replyTo };
  const result = await chatRoom(room.streamId).send(facts.userId, input, { room, facts });
  if ('unknown' in result || !result.is_sent) throw new Error(`not said: ${JSON.stringify(result)}`);
  return result.message_id;
}

type Fault = 'none' | 'lost' | 'answer lost' | 'twice' | 'evicted before' | 'evicted after';
let laterMs = 0;

/** Takes the room out of memory: as one that has slept, or in the middle of things. */
async function lose(streamId: string, inTheMiddle: boolean): Promise<void> {
  if (!inTheMiddle) return evictDurableObject(chatRoom(streamId));
  await runInDurableObject(chatRoom(streamId), (_, state) => state.abort('lost')).catch(() => undefined);
}

/** Rings the room's alarm when everything is due, with something between it and the database. */
async function archive(streamId: string, fault: Fault = 'none'): Promise<ArchiveFlush[]> {
  laterMs += 600_000;
  const offsetMs = laterMs;
  const flushes: ArchiveFlush[] = [];
  const isOver = (): never => {
    throw new Error('lost');
  };
  await runInDurableObject(chatRoom(streamId), (instance) => {
    instance.clock = { now: () => Date.now() + offsetMs };
    const { env } = instance as unknown as { readonly env: Bindings };
    const send = (flush: ArchiveFlush) => keepChat(servicesOf(env).databases.primary, flush);
    const { warn } = instance.archiveTo;
    const flaky = async (flush: ArchiveFlush) => {
      flushes.push(flush);
      if (fault === 'lost' || fault === 'evicted before') return isOver();
      const result = await send(flush);
      if (fault === 'twice') await send(flush);
      return fault === 'answer lost' || fault === 'evicted after' ? isOver() : result;
    };
    instance.archiveTo = { send: flaky, warn };
  });
  await runDurableObjectAlarm(chatRoom(streamId));
  if (fault === 'evicted before' || fault === 'evicted after')
    await lose(streamId, fault === 'evicted after');
  return flushes;
}

const silence = (room: RoomFacts, userId: string) =>
  chatRoom(room.streamId).act(room, {
    kind: 'silence',
    userId,
    seconds: null,
    version: 1,
  });

describe('the archive of a room', () => {
  it('has what was said, with its time and its author, and what was pinned and asked', async () => {
    const room = await announced();
    const [ada] = await people(1);
    if (ada === undefined) throw new Error('nobody');
    const first = await say(room, { ...ada, role: 'owner' }, 'hello :wave:');
    await say(room, ada, 'to myself', first);
    await chatRoom(room.streamId).act(room, { kind: 'pin', messageId: first });
    await chatRoom(room.streamId).act(room, { kind: 'settings', settings: room.settings, version: 1 });
    const flushes = await archive(room.streamId);
    expect(flushes).toHaveLength(1);
    const kept = await keptOf(room.streamId);
    expect(kept.map(({ kind }) => kind)).toEqual(['message', 'message', 'pinned']);
    const log = await logOf(room.streamId);
    expect(kept.map(({ event }) => event)).toEqual(log.slice(0, 3).map(({ event }) => event));
    const rows = await sqlRows<{ at: number; author: string; id: string; quotes: string | null }>(
      `SELECT (extract(epoch FROM at) * 1000)::float8 AS at, author_id AS author, id, quotes_id AS quotes
       FROM chat_messages WHERE stream_id = $1 AND kind = 'message' ORDER BY seq`,
      [room.streamId],
    );
    expect(rows.map(({ at }) => at)).toEqual(log.slice(0, 2).map(({ at }) => at));
    expect(rows.map(({ author }) => author)).toEqual([ada.userId, ada.userId]);
    expect(rows[1]?.quotes).toBe(decodeId('chatMessage', first));
    // Nothing is new: nothing is sent.
    expect(await archive(room.streamId)).toEqual([]);
  });

  it('loses the words of what was deleted before it came there, and after', async () => {
    const room = await announced();
    const [ada, bob] = await people(2);
    if (ada === undefined || bob === undefined) throw new Error('nobody');
    const [early, late] = [await say(room, ada, 'early'), await say(room, ada, 'late')];
    await say(room, bob, 'I quote', early);
    await chatRoom(room.streamId).act(room, { kind: 'delete', messageId: early });
    await archive(room.streamId);
    await say(room, bob, 'I quote too', late);
    await chatRoom(room.streamId).act(room, { kind: 'pin', messageId: late });
    await archive(room.streamId);
    expect((await keptOf(room.streamId)).map(({ event }) => textOf(event))).toContain('late');
    await chatRoom(room.streamId).act(room, { kind: 'delete', messageId: late });
    await archive(room.streamId);
    const kept = await keptOf(room.streamId);
    expect(kept.filter(({ isDeleted }) => isDeleted)).toHaveLength(2);
    // Neither in themselves nor where others quote them.
    expect(JSON.stringify(kept)).not.toMatch(/early|late/);
    expect(kept.map(({ event }) => textOf(event)).filter((text) => text !== '')).toEqual([
      'I quote',
      'I quote too',
    ]);
  });

  it('hides all that somebody said who is banned, and all there is when the room is cleared', async () => {
    const room = await announced();
    const [ada, bob] = await people(2);
    if (ada === undefined || bob === undefined) throw new Error('nobody');
    for (const text of ['one', 'two']) await say(room, ada, text);
    await say(room, bob, 'good');
    await archive(room.streamId);
    await say(room, ada, 'three');
    await silence(room, ada.userId);
    await archive(room.streamId);
    const words = async () =>
      (await keptOf(room.streamId)).flatMap(({ event, isDeleted }) => (isDeleted ? [] : [textOf(event)]));
    expect(await words()).toEqual(['good']);
    await chatRoom(room.streamId).act(room, { kind: 'clear' });
    await say(room, bob, 'afterwards');
    await archive(room.streamId, 'answer lost');
    expect(await words()).toEqual(['afterwards']);
  });

  it('keeps the log of a room while the database is away, and catches up', async () => {
    const room = await announced();
    const [ada] = await people(1);
    if (ada === undefined) throw new Error('nobody');
    await say(room, ada, 'the first');
    const many = 2_500;
    await runInDurableObject(chatRoom(room.streamId), (_, state) => {
      const [said] = state.storage.sql.exec<{ event: string }>('SELECT event FROM events').toArray();
      for (let index = 0; index < many; index += 1)
        state.storage.sql.exec(
          "INSERT INTO events (at_ms, kept, mentions, event) VALUES (?, 0, '', ?)",
          Date.now() - 600_000,
          String(said?.event).replace('the first', `number ${index}`),
        );
    });
    await evictDurableObject(chatRoom(room.streamId));
    for (let hour = 0; hour < 3; hour += 1) await archive(room.streamId, 'lost');
    expect(await logOf(room.streamId)).toHaveLength(many + 1);
    const flushes = await archive(room.streamId);
    expect(flushes.map(({ rows }) => rows.length)).toEqual([1_000, 1_000, 501]);
    expect((await keptOf(room.streamId)).map(({ seq }) => seq)).toEqual(
      Array.from({ length: many + 1 }, (_, index) => index + 1),
    );
    // Now the ring may forget.
    expect(await logOf(room.streamId)).toHaveLength(keptEvents);
  });

  it('does not wait for a stream that is gone', async () => {
    const room = newRoom();
    await say(room, chatter('ada'), 'is anybody there?');
    expect(await archive(room.streamId)).toHaveLength(1);
    expect(await archive(room.streamId)).toEqual([]);
  });

  it('forgets all of a room that is over, once it is archived', async () => {
    const room = await announced();
    const [ada] = await people(1);
    if (ada === undefined) throw new Error('nobody');
    await say(room, ada, 'goodbye');
    await chatRoom(room.streamId).close();
    await archive(room.streamId, 'lost');
    expect(await logOf(room.streamId)).toHaveLength(2);
    await archive(room.streamId);
    expect(await logOf(room.streamId)).toEqual([]);
    expect(await keptOf(room.streamId)).toHaveLength(1);
  });

  it('has each message once and no word that was taken away, whatever fails at whatever step', async () => {
    const speakers = await people(3);
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('say' as const), who: fc.nat(2) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), which: fc.nat(20) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('silence' as const), who: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('archive' as const),
          fault: fc.constantFrom<Fault>(
            'none',
            'lost',
            'answer lost',
            'twice',
            'evicted before',
            'evicted after',
          ),
        }),
      },
    );
    const steps = fc.array(step, { minLength: 4, maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const room = await announced();
        const said: { readonly id: string; readonly who: number; readonly text: string; isGone: boolean }[] =
          [];
        const banned = new Set<number>();
        for (const action of history) {
          if (action.kind === 'archive') await archive(room.streamId, action.fault);
          else if (action.kind === 'say' && !banned.has(action.who)) {
            const facts = speakers[action.who] ?? chatter('nobody');
            const text = `words ${said.length}`;
            said.push({
              id: await say(room, facts, text, said.at(-1)?.id),
              who: action.who,
              text,
              isGone: false,
            });
          } else if (action.kind === 'delete') {
            const target = said[action.which];
            if (target === undefined || target.isGone) continue;
            await chatRoom(room.streamId).act(room, { kind: 'delete', messageId: target.id });
            target.isGone = true;
          } else if (action.kind === 'silence') {
            await silence(room, speakers[action.who]?.userId ?? '');
            banned.add(action.who);
            for (const each of said) each.isGone ||= each.who === action.who;
          } else if (action.kind === 'clear') {
            await chatRoom(room.streamId).act(room, { kind: 'clear' });
            for (const each of said) each.isGone = true;
          }
        }
        await archive(room.streamId);
        const kept = (await keptOf(room.streamId)).filter(({ kind }) => kind === 'message');
        expect(kept.map(({ event }) => event.type === 'message' && event.id)).toEqual(
          said.map(({ id }) => id),
        );
        expect(kept.map(({ event, isDeleted }) => (isDeleted ? '' : textOf(event)))).toEqual(
          said.map(({ isGone, text }) => (isGone ? '' : text)),
        );
        const shown = JSON.stringify(kept);
        for (const { isGone, text } of said) if (isGone) expect(shown).not.toContain(`"${text}"`);
      }),
      { numRuns: 12 },
    );
  }, 180_000);
});
