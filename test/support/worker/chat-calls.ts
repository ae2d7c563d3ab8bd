import { expect } from 'vitest';
import { type ChatClient, followSocket } from './chat.ts';
import { call, callJson, type TestUser } from './client.ts';

/** Announces a stream, whose chat room is open from then on. */
export async function announceStream(owner: TestUser, visibility = 'public'): Promise<string> {
  const body = { title: 'Live', visibility };
  return (await callJson<{ id: string }>(201, 'POST', '/v1/streams', { token: owner.token, body })).id;
}

/** Enters a room as a client would. The caller closes the socket. */
export async function enterChat(stream: string, user?: TestUser): Promise<ChatClient> {
  const response = await call('GET', `/v1/streams/${stream}/chat`, {
    token: user?.token,
    headers: { upgrade: 'websocket', 'sec-websocket-protocol': 'social-flow.chat.v1' },
  });
  if (response.webSocket === null) throw new Error(`no socket: ${response.status} ${await response.text()}`);
  return followSocket(response.webSocket);
}

export interface Sent {
  readonly is_sent: boolean;
  readonly message_id: string;
  readonly seq: number;
  readonly drop_reason?: { readonly code: string; readonly message: string };
}

export const sayInChat = (stream: string, user: TestUser, text: string, clientId?: string): Promise<Sent> =>
  callJson<Sent>(200, 'POST', `/v1/streams/${stream}/chat/messages`, {
    token: user.token,
    body: { client_id: clientId ?? crypto.randomUUID(), text },
  });

export const moderateChat = (
  stream: string,
  by: TestUser,
  body: Record<string, unknown>,
): Promise<Response> => call('POST', `/v1/streams/${stream}/chat/moderation`, { token: by.token, body });

export const makeModerator = async (owner: TestUser, user: TestUser): Promise<void> => {
  const body = { role: 'moderator' };
  const response = await call('PUT', `/v1/me/chat-roles/${user.id}`, { token: owner.token, body });
  expect(response.status).toBe(204);
};

export const codeOf = async (response: Response): Promise<[number, string]> => [
  response.status,
  ((await response.json()) as { code: string }).code,
];

export const framesOf = (client: ChatClient, type: string): Record<string, unknown>[] =>
  client.frames.filter((frame) => frame.type === type);
