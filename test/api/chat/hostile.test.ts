import { runInDurableObject } from 'cloudflare:test';
import { afterEach, describe, expect, it } from 'vitest';
import { chatCloseCodes, maxFrames } from '../../../durable-objects/chat-relay/protocol.ts';
import { decodeId, encodeId, randomIds } from '../../../src/shared/ids.ts';
import { type ChatClient, chatRoom, followSocket, textOf, until } from '../../support/worker/chat.ts';
import {
  announceStream,
  codeOf,
  enterChat,
  moderateChat,
  sayInChat,
} from '../../support/worker/chat-calls.ts';
import { call, callJson, seedUser, type TestUser } from '../../support/worker/client.ts';

// Whatever one client does, it gets a code of its own, and those beside it notice nothing.

const open: ChatClient[] = [];
afterEach(() => {
  for (const { socket } of open.splice(0)) socket.close(1000);
});

/** A room with somebody who only wants to chat. */
async function roomWithBystander() {
  const [owner, bystander, bad] = [await seedUser(), await seedUser(), await seedUser()];
  const stream = await announceStream(owner);
  const client = await enterChat(stream, bystander);
  open.push(client);
  let said = 0;
  return {
    owner,
    bad,
    stream,
    /** Says something, and sees that the bystander is still told everything. */
    async stillWell() {
      said += 1;
      await sayInChat(stream, owner, `all is well ${said}`);
      await until(
        () => client.events.some(({ event }) => textOf(event) === `all is well ${said}`),
        'it is told',
      );
      expect([client.closed, client.faults]).toEqual([undefined, []]);
    },
  };
}
const enterAs = async (stream: string, user?: TestUser): Promise<ChatClient> => {
  const client = await enterChat(stream, user);
  open.push(client);
  return client;
};
const closedWith = async (client: ChatClient): Promise<number | undefined> => {
  await until(() => client.closed !== undefined, 'it was closed');
  return client.closed;
};
const connect = (stream: string, headers: Record<string, string>, query = '') =>
  call('GET', `/v1/streams/${stream}/chat${query}`, { headers: { upgrade: 'websocket', ...headers } });

describe('a hostile client', () => {
  it.each([
    ['text that is no JSON', 'hello', chatCloseCodes.malformed],
    ['JSON that is no frame', '[1,2,3]', chatCloseCodes.malformed],
    ['a frame of the server', '{"type":"batch","from":1,"to":9,"events":[]}', chatCloseCodes.malformed],
    ['an act it has no frame for', '{"type":"ban","user_id":"usr_x"}', chatCloseCodes.malformed],
    [
      'a message that says who it is',
      '{"type":"send","id":"a","text":"hi","role":"owner"}',
      chatCloseCodes.malformed,
    ],
    ['a number of a message that is none', '{"type":"seen","seq":-1}', chatCloseCodes.malformed],
    ['a number beyond numbers', '{"type":"seen","seq":1e400}', chatCloseCodes.malformed],
    ['half a character as its id', '{"type":"send","id":"\\ud800","text":"hi"}', chatCloseCodes.malformed],
    ['a megabyte', 'x'.repeat(1_048_576), chatCloseCodes.messageTooBig],
    ['bytes', new Uint8Array([1, 2, 3]), chatCloseCodes.unsupportedData],
  ])('that sends %s is closed, with a code for it', async (_, frame, code) => {
    const { stream, bad, stillWell } = await roomWithBystander();
    const client = await enterAs(stream, bad);
    client.socket.send(frame);
    expect(await closedWith(client)).toBe(code);
    await stillWell();
  });

  it('that floods is closed, and what it got through is no flood', async () => {
    const { stream, bad, stillWell } = await roomWithBystander();
    const client = await enterAs(stream, bad);
    for (let index = 0; index <= maxFrames; index += 1)
      client.socket.send(JSON.stringify({ type: 'send', id: `flood-${index}`, text: `flood ${index}` }));
    expect(await closedWith(client)).toBe(chatCloseCodes.flood);
    const log = await callJson<{ events: { event: { author?: { id: string } } }[] }>(
      200,
      'GET',
      `/v1/streams/${stream}/chat/messages?limit=500`,
    );
    const through = log.events.filter(({ event }) => event.author?.id === bad.id);
    expect(through.length).toBeLessThanOrEqual(20);
    await stillWell();
  });

  it('cannot forge a ticket, nor use one for another purpose or twice', async () => {
    const { stream, bad, owner, stillWell } = await roomWithBystander();
    const ticketOf = async (user: TestUser, purpose: string) =>
      (
        await callJson<{ ticket: string }>(201, 'POST', '/v1/realtime/tickets', {
          token: user.token,
          body: { purpose },
        })
      ).ticket;
    const good = await ticketOf(bad, 'chat');
    const [, secret = ''] = good.split('.');
    const spoilt = `${secret.startsWith('A') ? 'B' : 'A'}${secret.slice(1)}`;
    for (const forged of [`${bad.id}.${spoilt}`, `${owner.id}.${secret}`, await ticketOf(bad, 'realtime')])
      expect(
        await codeOf(
          await connect(stream, { 'sec-websocket-protocol': `social-flow.chat.v1, ticket.${forged}` }),
        ),
      ).toEqual([401, 'realtime.ticket_invalid']);
    const used = await connect(stream, { 'sec-websocket-protocol': `social-flow.chat.v1, ticket.${good}` });
    if (used.webSocket === null) throw new Error(`no socket: ${used.status}`);
    open.push(followSocket(used.webSocket));
    expect(
      await codeOf(
        await connect(stream, { 'sec-websocket-protocol': `social-flow.chat.v1, ticket.${good}` }),
      ),
    ).toEqual([401, 'realtime.ticket_invalid']);
    await stillWell();
  });

  it('is told to begin anew for a place that never was, and refused one that is none', async () => {
    const { stream, stillWell } = await roomWithBystander();
    await stillWell();
    const ahead = await connect(
      stream,
      { 'sec-websocket-protocol': 'social-flow.chat.v1' },
      '?after=999999999',
    );
    if (ahead.webSocket === null) throw new Error(`no socket: ${ahead.status}`);
    const client = followSocket(ahead.webSocket);
    open.push(client);
    await until(() => client.frames.some(({ type }) => type === 'resync'), 'it begins anew');
    for (const after of ['-1', '1.5', '1e9', 'x', '99999999999999999999'])
      expect((await connect(stream, {}, `?after=${after}`)).status, after).toBe(400);
    client.socket.send(JSON.stringify({ type: 'seen', seq: Number.MAX_SAFE_INTEGER }));
    await stillWell();
    await until(() => client.events.length === 1, 'it is told what comes');
    expect(client.closed).toBeUndefined();
  });

  it('gets into no room of a stream it does not see, and cannot reach into it from another', async () => {
    const { stream, bad, owner, stillWell } = await roomWithBystander();
    const hidden = await announceStream(await seedUser(), 'private');
    expect(
      (
        await call('GET', `/v1/streams/${hidden}/chat`, {
          token: bad.token,
          headers: { upgrade: 'websocket' },
        })
      ).status,
    ).toBe(404);
    const { message_id: message } = await sayInChat(stream, owner, 'mine');
    const own = await announceStream(bad);
    expect(await codeOf(await moderateChat(own, bad, { action: 'delete', message_id: message }))).toEqual([
      409,
      'chat.nothing_to_do',
    ]);
    await stillWell();
  });

  it('does not become a moderator by saying so', async () => {
    const { stream, bad, owner, stillWell } = await roomWithBystander();
    const { message_id: message } = await sayInChat(stream, owner, 'mine');
    for (const act of [
      { action: 'clear' },
      { action: 'delete', message_id: message },
      { action: 'ban', user_id: owner.id },
      { action: 'unban', user_id: bad.id },
      { action: 'announce', text: 'obey' },
    ])
      expect(await codeOf(await moderateChat(stream, bad, act)), act.action).toEqual([
        403,
        'chat.not_moderator',
      ]);
    await stillWell();
  });

  it('quotes nothing that is not there', async () => {
    const { stream, bad, stillWell } = await roomWithBystander();
    const body = {
      client_id: 'a',
      text: 'as they said',
      reply_to: encodeId('chatMessage', randomIds.next()),
    };
    const answer = await callJson<{ is_sent: boolean }>(200, 'POST', `/v1/streams/${stream}/chat/messages`, {
      token: bad.token,
      body,
    });
    expect(answer.is_sent).toBe(true);
    await stillWell();
  });
});

it('a clock that jumps back and forth neither changes the order nor locks anybody out', async () => {
  const { stream, bad, stillWell } = await roomWithBystander();
  const room = chatRoom(decodeId('stream', stream) ?? '');
  for (const [index, offMs] of [0, -600_000, 600_000, 0].entries()) {
    await runInDurableObject(room, (instance) => {
      instance.clock = { now: () => Date.now() + offMs };
    });
    const answer = await sayInChat(stream, bad, `by clock ${index}`);
    expect([index, answer.drop_reason?.code]).toEqual([index, undefined]);
    await stillWell();
  }
});
