import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventBridgeEvent } from '../../../local-cloud/events/index.ts';

export type Received = { event: EventBridgeEvent; headers: IncomingMessage['headers']; atMs: number };

export type Webhook = {
  url: string;
  port: number;
  received: Received[];
  /** Ids of the events received, in order. */
  ids(): string[];
  /** Connections made so far. */
  connections(): number;
  close(): Promise<void>;
};

export type Reply = { status: number; headers?: Record<string, string>; afterMs?: number; body?: string };

/** A receiver on loopback that records what arrives and answers as `reply` says (202 by default). */
export async function startWebhook(
  reply: (received: Received, index: number) => Reply = () => ({ status: 202 }),
  port = 0,
): Promise<Webhook> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const entry = {
      event: JSON.parse(Buffer.concat(chunks).toString('utf8')),
      headers: request.headers,
      atMs: Date.now(),
    };
    received.push(entry);
    const answer = reply(entry, received.length - 1);
    if (answer.afterMs) await new Promise((resolve) => setTimeout(resolve, answer.afterMs));
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}/v1/webhooks/aws`,
    port: bound,
    received,
    connections: () => connections,
    ids: () => received.map((entry) => entry.event.id),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** An event with a readable id, about one job. */
export const eventOf = (id: string, job = 'job-1'): EventBridgeEvent => ({
  version: '0',
  id,
  'detail-type': 'MediaConvert Job State Change',
  source: 'aws.mediaconvert',
  account: '111122223333',
  time: '2026-11-23T12:00:00Z',
  region: 'us-east-1',
  resources: [`arn:aws:mediaconvert:us-east-1:111122223333:jobs/${job}`],
  detail: { status: 'PROGRESSING', jobId: job },
});
