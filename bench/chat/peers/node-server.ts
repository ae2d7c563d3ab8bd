import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createGathering, createNumbering } from './numbered.ts';

/**
 * The HTTP half of a peer on Node: takes messages by POST, numbers them and hands batches to `broadcast`. It keeps nothing on
 * disk, checks nothing and leaves nothing out.
 */
export function createPeer(batchMs: number, broadcast: (frame: string) => void): Server {
  const numbering = createNumbering();
  const gather = createGathering(batchMs, (_from, _to, frame) => broadcast(frame));
  return createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { entry, answer } = numbering.take(body);
      gather(numbering, entry);
      response.setHeader('content-type', 'application/json').end(answer);
    });
  });
}

/** Listens and tells the parent process where. */
export function listen(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
  });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  return body;
}
