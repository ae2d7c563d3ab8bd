import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { createConnections } from './connections.ts';
import { createTripCounter, type TripCounts } from './counts.ts';
import { type CloneSource, createTestDatabases, type TestDatabases } from './databases.ts';
import { createFaults, parseFaultOrder } from './faults.ts';
import { isObject, urlOf } from './request.ts';
import { handleSql, type SqlContext, sendJson } from './sql.ts';
import { serveTunnels } from './tunnel.ts';

export type StartNeonBridgeOptions = {
  /** Preferred port; another is chosen when it is 0 or taken. */
  port: number;
  host?: '127.0.0.1';
  postgres: { host: string; port: number };
  /** Opens `/faults` and, when `databases` is given, `/databases`. For tests only. */
  testControls?: { databases?: CloneSource };
  log?: (line: string) => void;
};

export type NeonBridge = {
  /** Base URL, such as http://127.0.0.1:4444. SQL goes to `/sql`, tunnels to `/v2`. */
  url: string;
  host: string;
  port: number;
  /** Trips of one request id, or of everything since the last reset. */
  stats(requestId?: string): TripCounts;
  close(): Promise<void>;
};

/**
 * Starts the HTTP server that speaks to `@neondatabase/serverless` as Neon's proxy does and to our Postgres as a client:
 * `POST /sql`, WebSocket `/v2`, `GET /health`, `GET /stats?request_id=`, `POST /stats/reset`. Loopback only.
 */
export async function startNeonBridge(options: StartNeonBridgeOptions): Promise<NeonBridge> {
  const { postgres } = options;
  const host = options.host ?? '127.0.0.1';
  const context: SqlContext = {
    connections: createConnections(postgres),
    counter: createTripCounter(),
    faults: createFaults(),
    log: options.log ?? (() => undefined),
  };
  const databases =
    options.testControls?.databases === undefined
      ? null
      : createTestDatabases(options.testControls.databases, postgres);

  const server = createServer((request, response) => {
    route(request, response).catch((error: unknown) => {
      context.log(`neon-bridge: ${error instanceof Error ? error.stack : String(error)}`);
      sendJson(
        response,
        500,
        JSON.stringify({ message: error instanceof Error ? error.message : 'internal error' }),
      );
    });
  });
  // Clients keep connections open between requests; closing one just as it is reused would look like a database fault.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = urlOf(request);
    const name = `${request.method} ${url.pathname}`;
    if (name === 'POST /sql') return handleSql(context, request, response);
    if (name === 'GET /health') {
      const isUp = await answers(postgres);
      return sendJson(
        response,
        isUp ? 200 : 503,
        JSON.stringify({ status: isUp ? 'ok' : 'postgres is unreachable' }),
      );
    }
    if (name === 'GET /stats') {
      const counts = context.counter.read(url.searchParams.get('request_id') ?? undefined);
      return sendJson(response, 200, JSON.stringify(counts));
    }
    if (name === 'POST /stats/reset') {
      context.counter.reset();
      return sendJson(response, 200, '{}');
    }
    if (options.testControls !== undefined && name === 'POST /faults')
      return orderFault(context, request, response);
    if (databases !== null && /^\/databases(\/|$)/.test(url.pathname)) {
      return handleDatabases(context, databases, request, url, response);
    }
    return sendJson(response, 404, JSON.stringify({ message: 'not found' }));
  };

  const closeTunnels = serveTunnels(server, postgres, context.faults);
  const port = await listen(server, host, options.port);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    closeTunnels();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
    await context.connections.close();
    await databases?.close();
  };
  return {
    url: `http://${host}:${port}`,
    host,
    port,
    stats: (requestId) => context.counter.read(requestId),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function orderFault(
  context: SqlContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const order = parseFaultOrder(await readControl(request));
  if (typeof order === 'string') return sendJson(response, 400, JSON.stringify({ message: order }));
  context.faults.set(order);
  sendJson(response, 200, '{}');
}

async function handleDatabases(
  context: SqlContext,
  databases: TestDatabases,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const name = url.pathname.slice('/databases/'.length);
  if (request.method === 'POST' && name === '') {
    const body = await readControl(request);
    const template = isObject(body) ? body.template : undefined;
    if (template !== 'primary' && template !== 'shard') {
      return sendJson(response, 400, JSON.stringify({ message: 'template must be primary or shard' }));
    }
    return sendJson(response, 201, JSON.stringify(await databases.clone(template)));
  }
  if (request.method === 'DELETE' && name !== '') {
    await context.connections.closeDatabase(name);
    context.faults.set({ mode: 'none', database: name });
    const dropped = await databases.drop(name);
    return sendJson(response, dropped ? 200 : 404, '{}');
  }
  return sendJson(response, 405, JSON.stringify({ message: 'method not allowed' }));
}

/** The JSON of a control request, or null. Only application/json is read, which a web page cannot send across origins. */
async function readControl(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > 65_536) return null;
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return null;
  }
}

function answers(postgres: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(postgres.port, postgres.host);
    const finish = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
  });
}

function listen(server: Server, host: string, preferred: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EADDRINUSE' && preferred !== 0) resolve(listen(server, host, 0));
      else reject(error);
    };
    server.once('error', onError);
    server.listen(preferred, host, () => {
      server.off('error', onError);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('the bridge has no port'));
    });
  });
}
