import { runDurableObjectAlarm } from 'cloudflare:test';
import { expect, it } from 'vitest';
import { decodeId } from '../../../src/shared/ids.ts';
import { chatRoom, until } from '../../support/worker/chat.ts';
import { announceStream, enterChat } from '../../support/worker/chat-calls.ts';
import { call, seedUser, sqlRows } from '../../support/worker/client.ts';

it('whatever characters are sent, what was said with them or after them is kept', async () => {
  const [owner, ada] = [await seedUser(), await seedUser()];
  const stream = await announceStream(owner);
  const uuid = decodeId('stream', stream) ?? '';
  const client = await enterChat(stream, ada);
  const words = [
    'a\u0000b',
    'half \ud800 of one',
    '\udfff',
    'right to left \u202e',
    '\ufeff',
    'e\u0301'.repeat(200),
    '👨‍👩‍👧‍👦',
    'ok',
  ];
  const sent: string[] = [];
  for (const [index, text] of words.entries()) {
    client.socket.send(JSON.stringify({ type: 'send', id: `w${index}`, text }));
    await until(() => client.frames.some(({ id }) => id === `w${index}`), 'it is answered');
    const answer = client.frames.find(({ id }) => id === `w${index}`);
    if (answer?.is_sent === true) sent.push(text);
    const byHttp = await call('POST', `/v1/streams/${stream}/chat/messages`, {
      token: ada.token,
      body: { client_id: `h${index}`, text: `${text} ` },
    });
    expect(byHttp.status).toBeLessThan(500);
  }
  expect(sent).toContain('ok');
  client.socket.close(1000);
  await until(async () => {
    await runDurableObjectAlarm(chatRoom(uuid));
    const rows = await sqlRows<{ n: number }>(
      'SELECT count(*)::int AS n FROM chat_messages WHERE stream_id = $1',
      [uuid],
    );
    return (rows[0]?.n ?? 0) >= sent.length;
  }, 'all of it is archived');
});
