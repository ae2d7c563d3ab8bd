import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Held {
  readonly etag: string;
  readonly bytes: Buffer;
}

export interface FakeUpload {
  readonly id: string;
  readonly video_id: string;
  state: 'open' | 'completed' | 'aborted' | 'expired';
  readonly size_bytes: number;
  readonly part_size_bytes: number;
  readonly part_count: number;
  readonly body: Record<string, unknown>;
  readonly held: Map<number, Held>;
}

/** What goes wrong with a request: `drop` breaks the connection, a number is the status answered. */
export type Fault = 'drop' | number | { readonly status: number; readonly retryAfter: string };

export interface UploadServer {
  readonly url: string;
  readonly uploads: Map<string, FakeUpload>;
  /** Requests as `METHOD /path`, in order. */
  readonly log: string[];
  /** Parts that were received whole, by number; a part sent twice is in it twice. */
  readonly received: number[];
  /** Asked before each request is handled. */
  fault: (request: {
    readonly method: string;
    readonly path: string;
    readonly part: number | undefined;
  }) => Fault | undefined;
  /** How long a part takes, so that something can happen meanwhile. */
  partMs: number;
  /** Parts the server takes; later ones wait until it is raised or their connection ends. */
  partsTaken: number;
  token: string;
  page: string;
  script: Buffer | undefined;
  urlLifeMs: number;
  /** Most parts that were being received at the same time. */
  mostAtOnce: number;
  joined(upload: FakeUpload): Buffer;
  close(): Promise<void>;
}

export const partBytes = 65_536;

/** The upload API and its object store in memory, for tests of the uploader: same shapes, small parts, faults on demand. */
export async function startUploadServer(): Promise<UploadServer> {
  const keys = new Map<string, string>();
  let atOnce = 0;
  const server: Server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const state: UploadServer = {
    url,
    uploads: new Map(),
    log: [],
    received: [],
    fault: () => undefined,
    partMs: 0,
    partsTaken: Number.POSITIVE_INFINITY,
    token: 'good',
    page: '',
    script: undefined,
    urlLifeMs: 3_600_000,
    mostAtOnce: 0,
    joined: (upload) =>
      Buffer.concat([...upload.held].sort(([a], [b]) => a - b).map(([, { bytes }]) => bytes)),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const method = request.method ?? '';
    const part = pathname.startsWith('/store/') ? Number(searchParams.get('part')) : undefined;
    state.log.push(`${method} ${pathname}`);
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-expose-headers', 'etag, retry-after');
    response.setHeader('access-control-allow-headers', '*, authorization');
    response.setHeader('access-control-allow-methods', '*');
    if (method === 'OPTIONS') return void response.end();
    const fault = state.fault({ method, path: pathname, part });
    if (fault === 'drop') return void request.socket.destroy();
    if (fault !== undefined) {
      for await (const _ of request);
      if (typeof fault === 'object') response.setHeader('retry-after', fault.retryAfter);
      return void problem(response, typeof fault === 'object' ? fault.status : fault, 'test.fault');
    }
    if (part !== undefined) return receivePart(request, response, pathname.slice(7), part, searchParams);
    if (pathname === '/uploader.js')
      return void response.setHeader('content-type', 'text/javascript').end(state.script);
    if (!pathname.startsWith('/v1/'))
      return void response.setHeader('content-type', 'text/html').end(state.page);
    const body = await json(request);
    if (request.headers.authorization !== `Bearer ${state.token}`)
      return void problem(response, 401, 'auth.token_invalid');
    answer(method, pathname, body, String(request.headers['idempotency-key'] ?? ''), response);
  }

  function answer(
    method: string,
    path: string,
    body: Record<string, unknown>,
    key: string,
    response: ServerResponse,
  ): ServerResponse {
    const [, id = '', verb = ''] = /^\/v1\/videos\/uploads\/?([^/]*)\/?(.*)$/.exec(path) ?? [];
    if (id === '') {
      const known = keys.get(key);
      const upload = known === undefined ? open(body) : state.uploads.get(known);
      if (upload === undefined) return problem(response, 500, 'test.lost');
      if (key !== '') keys.set(key, upload.id);
      return send(response, 201, { ...view(upload), parts: sign(upload, [1, 2]) });
    }
    const upload = state.uploads.get(id);
    if (upload === undefined) return problem(response, 404, 'uploads.not_found');
    const held = [...upload.held].sort(([a], [b]) => a - b);
    if (method === 'GET')
      return send(response, 200, {
        ...view(upload),
        held_parts: held.map(([part_number, { etag, bytes }]) => ({
          part_number,
          etag,
          size_bytes: bytes.length,
        })),
      });
    if (method === 'DELETE') {
      upload.state = 'aborted';
      return response.writeHead(204).end();
    }
    if (upload.state === 'completed' && verb === 'complete') return send(response, 200, view(upload));
    if (upload.state !== 'open') return problem(response, 409, 'uploads.not_open');
    if (verb === 'parts' && method === 'POST')
      return send(response, 200, { parts: sign(upload, body.part_numbers as number[]) });
    if (verb === 'parts') return send(response, 200, { held_bytes: 0, percent: 0, confirmed_percent: 0 });
    const listed = body.parts as { part_number: number; etag: string }[];
    if (
      listed.length !== upload.part_count ||
      listed.some(({ part_number, etag }) => upload.held.get(part_number)?.etag !== etag)
    )
      return problem(response, 422, 'uploads.part_unknown');
    upload.state = 'completed';
    return send(response, 200, view(upload));
  }

  function open(body: Record<string, unknown>): FakeUpload {
    const size = Number(body.size_bytes);
    const upload: FakeUpload = {
      id: `upl_${randomBytes(6).toString('hex')}`,
      video_id: `vid_${randomBytes(6).toString('hex')}`,
      state: 'open',
      size_bytes: size,
      part_size_bytes: partBytes,
      part_count: Math.ceil(size / partBytes),
      body,
      held: new Map(),
    };
    state.uploads.set(upload.id, upload);
    return upload;
  }

  const view = ({ held: _, body: __, ...upload }: FakeUpload) => upload;

  const sign = (upload: FakeUpload, numbers: readonly number[]) =>
    numbers
      .filter((number) => number <= upload.part_count)
      .map((number) => {
        const size = Math.min(partBytes, upload.size_bytes - (number - 1) * partBytes);
        const expires = Date.now() + state.urlLifeMs;
        return {
          part_number: number,
          url: `${url}/store/${upload.id}?part=${number}&expires=${expires}`,
          headers: { 'content-length': String(size), 'content-type': 'application/octet-stream' },
          size_bytes: size,
          expires_at: new Date(expires).toISOString(),
        };
      });

  async function receivePart(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    part: number,
    query: URLSearchParams,
  ): Promise<void> {
    atOnce += 1;
    state.mostAtOnce = Math.max(state.mostAtOnce, atOnce);
    try {
      const bytes = Buffer.concat(await request.toArray());
      if (state.partMs > 0) await new Promise((resolve) => setTimeout(resolve, state.partMs));
      while (state.received.length >= state.partsTaken) {
        if (response.destroyed) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const upload = state.uploads.get(id);
      if (Number(query.get('expires')) < Date.now())
        return void response.writeHead(403).end('Request has expired');
      const size = Math.min(partBytes, (upload?.size_bytes ?? 0) - (part - 1) * partBytes);
      if (upload === undefined || bytes.length !== size || request.headers['content-length'] !== String(size))
        return void response.writeHead(403).end('SignatureDoesNotMatch');
      const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
      upload.held.set(part, { etag, bytes });
      state.received.push(part);
      response.setHeader('etag', etag).end();
    } finally {
      atOnce -= 1;
    }
  }

  return state;
}

async function json(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = Buffer.concat(await request.toArray()).toString();
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const send = (response: ServerResponse, status: number, body: unknown): ServerResponse =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const problem = (response: ServerResponse, status: number, code: string): ServerResponse =>
  response
    .writeHead(status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ status, code, title: code }));
