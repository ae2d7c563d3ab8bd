import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cleanup } from './cleanup.ts';

/** A statement as the Worker sent it to Neon. */
export interface RecordedStatement {
  /** `role/database`. */
  readonly connection: string;
  readonly text: string;
  readonly params: readonly unknown[];
}

export interface Recorder {
  readonly url: string;
  /** What was recorded since the last call. */
  take(): RecordedStatement[];
}

/** Stands between the Worker and the Neon bridge, passes every round trip on and notes what was asked. */
export async function startRecorder(bridgeUrl: string, cleanup: Cleanup): Promise<Recorder> {
  let recorded: RecordedStatement[] = [];
  const server = createServer(async (request, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString('utf8');
      recorded.push(...statementsOf(String(request.headers['neon-connection-string']), body));
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers))
        if (typeof value === 'string' && !hopByHop.has(name)) headers.set(name, value);
      const answer = await fetch(`${bridgeUrl}${request.url}`, { method: 'POST', headers, body });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
    } catch (error) {
      response.writeHead(500).end(JSON.stringify({ message: String(error) }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const taken = recorded;
      recorded = [];
      return taken;
    },
  };
}

const hopByHop = new Set(['host', 'connection', 'content-length', 'transfer-encoding']);

function statementsOf(connectionString: string, body: string): RecordedStatement[] {
  const url = new URL(connectionString.replace(/^postgres(ql)?:/, 'http:'));
  const connection = `${decodeURIComponent(url.username)}${url.pathname}`;
  const {
    query,
    params = [],
    queries,
  } = JSON.parse(body) as {
    readonly query?: string;
    readonly params?: readonly unknown[];
    readonly queries?: unknown;
  };
  if (query === undefined || queries !== undefined)
    throw new TypeError('the measured endpoints are expected to send single statements');
  return [{ connection, text: query, params }];
}
