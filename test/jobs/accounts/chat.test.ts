import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { expect, it } from 'vitest';
import { exportSections } from '../../../src/modules/accounts/personal-data.policy.ts';
import { listExportedRows } from '../../../src/modules/accounts/personal-data.repository.ts';
import { eraseStep } from '../../../src/modules/accounts/usecases/erase-account.ts';
import { decodeId } from '../../../src/shared/ids.ts';
import { chatRoom } from '../../support/worker/chat.ts';
import { callJson, seedUser, sqlRows, type TestUser } from '../../support/worker/client.ts';
import { contextAt, freshWord, rowsWith } from './lives.ts';

async function announce(owner: TestUser): Promise<string> {
  return (
    await callJson<{ id: string }>(201, 'POST', '/v1/streams', {
      token: owner.token,
      body: { title: 'Live' },
    })
  ).id;
}

const say = (stream: string, user: TestUser, text: string, more: Record<string, unknown> = {}) =>
  callJson<{ message_id: string }>(200, 'POST', `/v1/streams/${stream}/chat/messages`, {
    token: user.token,
    body: { client_id: crypto.randomUUID(), text, ...more },
  });

async function archive(stream: string, laterMs: number): Promise<void> {
  const room = chatRoom(decodeId('stream', stream) ?? '');
  await runInDurableObject(room, (instance) => {
    instance.clock = { now: () => Date.now() + laterMs };
  });
  await runDurableObjectAlarm(room);
}

it('an erasure takes the words and the name of somebody out of the chats of others, also what comes there late', async () => {
  const word = freshWord();
  const [user, friend] = [await seedUser({ username: word }), await seedUser()];
  const stream = await announce(friend);
  const said = await say(stream, user, `I am ${word}`);
  await say(stream, friend, 'welcome', { reply_to: said.message_id });
  await archive(stream, 0);
  const ctx = contextAt(Date.now());
  const section = exportSections.find(({ file }) => file === 'chat_messages');
  if (section === undefined) throw new Error('no such section');
  const rows = await listExportedRows(ctx.databases.primary, section, user.uuid, {
    after: undefined,
    limit: 9,
  });
  expect(rows.map(({ line }) => JSON.parse(line).event.fragments)).toEqual([
    [{ type: 'text', text: `I am ${word}` }],
  ]);

  await say(stream, user, `${word} waits to be kept`);
  await sqlRows("UPDATE users SET status = 'deleted' WHERE id = $1", [user.uuid]);
  while ((await eraseStep.chat(ctx, user.uuid)) === 'more');
  await archive(stream, 600_000);
  expect(
    (await rowsWith([word, user.uuid, user.id])).filter((found) => found.includes('chat_messages')),
  ).toEqual([]);
  const kept = await sqlRows<{ event: { fragments: unknown[]; deleted?: true; author?: object } }>(
    'SELECT event FROM chat_messages WHERE stream_id = $1 ORDER BY seq',
    [decodeId('stream', stream)],
  );
  expect(kept).toHaveLength(2);
  expect(kept[0]?.event).toEqual({ type: 'message', id: said.message_id, fragments: [], deleted: true });
  expect(kept[1]?.event.fragments).toEqual([{ type: 'text', text: 'welcome' }]);
});

it('an erasure takes along what was said in the rooms of the account', async () => {
  const [owner, guest] = [await seedUser(), await seedUser()];
  const stream = await announce(owner);
  await say(stream, guest, 'hello');
  await archive(stream, 0);
  const count = () =>
    sqlRows('SELECT 1 FROM chat_messages WHERE stream_id = $1', [decodeId('stream', stream)]);
  expect(await count()).toHaveLength(1);
  const ctx = contextAt(Date.now());
  while ((await eraseStep.chat(ctx, owner.uuid)) === 'more');
  expect(await count()).toHaveLength(0);
});
