import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

interface FetchApp {
  fetch(request: Request): Response | Promise<Response>;
}

// Hono reads the method, the url and single headers of a request, and makes a response of a text and a few headers. Node's own
// Request and Response cost more than the whole rest of a small answer, and Hono's server package for Node replaces both by
// light ones for that reason. So does this, or the peer would look slower than a Node server has to be.

/** What Hono needs of a Response whose body is text. */
class TextResponse {
  readonly status: number;
  readonly body: string;
  readonly plainHeaders: Readonly<Record<string, string>>;
  #headers: Headers | undefined;

  constructor(
    body?: string | null,
    init: { status?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    this.status = init.status ?? 200;
    this.body = body ?? '';
    this.plainHeaders = init.headers ?? {};
  }

  get headers(): Headers {
    this.#headers ??= new Headers(this.plainHeaders);
    return this.#headers;
  }
}

/** Serves an app of small text answers with node:http, on a free port of 127.0.0.1. Reads no request bodies. */
export function serveNode(app: FetchApp): Promise<Server> {
  Object.assign(globalThis, { Response: TextResponse });
  const server = createServer((incoming, outgoing) => {
    answer(app, incoming, outgoing).catch((error: unknown) => {
      console.error(error);
      outgoing.writeHead(500).end();
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function answer(app: FetchApp, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const { status, body, plainHeaders } = (await app.fetch(lightRequest(incoming))) as unknown as TextResponse;
  outgoing.writeHead(status, { ...plainHeaders, 'content-length': Buffer.byteLength(body) }).end(body);
}

function lightRequest(incoming: IncomingMessage): Request {
  const headers = {
    get: (name: string): string | null => {
      const value = incoming.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : (value ?? null);
    },
  };
  const url = `http://${incoming.headers.host ?? 'localhost'}${incoming.url ?? '/'}`;
  return { method: incoming.method ?? 'GET', url, headers } as unknown as Request;
}
