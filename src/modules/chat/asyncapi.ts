import { z } from 'zod';
import { chatCloseCodes, chatSubprotocol } from '../../../durable-objects/chat-relay/protocol.ts';
import { clientFrames, serverFrames } from './frames.schemas.ts';

type Frames = Readonly<Record<string, z.ZodType>>;

const messagesOf = (frames: Frames) =>
  Object.fromEntries(
    Object.entries(frames).map(([name, schema]) => [
      name,
      {
        name,
        contentType: 'application/json',
        ...(schema.description === undefined ? {} : { summary: schema.description }),
        payload: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
      },
    ]),
  );

const refsOf = (frames: Frames) =>
  Object.keys(frames).map((name) => ({ $ref: `#/channels/room/messages/${name}` }));

const closing = Object.entries(chatCloseCodes)
  .map(([name, code]) => `${code} ${name}`)
  .join(', ');

/**
 * The wire protocol of chat rooms as an AsyncAPI document (https://www.asyncapi.com/docs/reference/specification/v3.0.0), made of
 * the schemas that tests hold real frames against.
 */
export const chatAsyncApi = (baseUrl: string) => ({
  asyncapi: '3.0.0',
  info: {
    title: 'Social Flow chat',
    version: '1',
    description: `WebSocket with the subprotocol \`${chatSubprotocol}\`; text frames of JSON. \`ping\` is answered with \`pong\`. Close codes: ${closing}.`,
  },
  servers: { api: { host: new URL(baseUrl).host, protocol: baseUrl.startsWith('https:') ? 'wss' : 'ws' } },
  channels: {
    room: {
      address: '/v1/streams/{stream_id}/chat',
      parameters: { stream_id: { description: 'Id of the stream.' } },
      messages: messagesOf({ ...serverFrames, ...clientFrames }),
    },
  },
  operations: {
    receiveFrames: {
      action: 'receive',
      channel: { $ref: '#/channels/room' },
      summary: 'What the server sends to clients.',
      messages: refsOf(serverFrames),
    },
    sendFrames: {
      action: 'send',
      channel: { $ref: '#/channels/room' },
      summary: 'What clients send.',
      messages: refsOf(clientFrames),
    },
  },
});
