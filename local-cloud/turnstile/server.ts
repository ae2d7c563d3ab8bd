import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
// https://developers.cloudflare.com/turnstile/troubleshooting/testing/

const tokenLifeMs = 300_000;
const maxTokenLength = 2_048;
const maxBodyBytes = 16_384;

/** Cloudflare's published secrets for testing. */
export const dummySecrets = {
  alwaysPasses: '1x0000000000000000000000000000000AA',
  alwaysFails: '2x0000000000000000000000000000000AA',
  alreadySpent: '3x0000000000000000000000000000000AA',
} as const;

export interface TurnstileOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** The secret of the one site this stand-in has besides the published ones. */
  readonly secret: string;
  readonly now?: () => number;
}

export interface TurnstileServer {
  readonly url: string;
  close(): Promise<void>;
}

interface Issued {
  readonly action: string;
  readonly hostname: string;
  readonly solvedAtMs: number;
  /** The idempotency key of the call that spent it; empty when that call had none. */
  spentBy: string | undefined;
}

type Verdict = Readonly<Record<string, unknown>>;

/**
 * Stands for Cloudflare Turnstile on 127.0.0.1. `POST /turnstile/v0/siteverify` answers as the real one; `GET /token` plays the
 * solved widget: it gives a token for `action` and `hostname`. Tokens die with the process.
 */
export async function startTurnstileServer(options: TurnstileOptions): Promise<TurnstileServer> {
  const { secret, now = Date.now } = options;
  const tokens = new Map<string, Issued>();

  const solve = (url: URL): { token: string } => {
    const token = `local.${randomBytes(48).toString('base64url')}`;
    const action = url.searchParams.get('action') ?? '';
    const hostname = url.searchParams.get('hostname') ?? '127.0.0.1';
    tokens.set(token, { action, hostname, solvedAtMs: now(), spentBy: undefined });
    return { token };
  };

  const verify = (fields: Readonly<Record<string, string>>): Verdict => {
    const { secret: given = '', response = '', idempotency_key: key = '' } = fields;
    if (given === '') return failure('missing-input-secret');
    if (response === '') return failure('missing-input-response');
    if (given === dummySecrets.alwaysPasses)
      return success({ action: '', hostname: 'example.com', solvedAtMs: now() });
    if (given === dummySecrets.alwaysFails) return failure('invalid-input-response');
    if (given === dummySecrets.alreadySpent) return failure('timeout-or-duplicate');
    if (given !== secret) return failure('invalid-input-secret');
    if (stumblingBlocks.has(response)) return failure(response);
    const issued = response.length > maxTokenLength ? undefined : tokens.get(response);
    if (issued === undefined) return failure('invalid-input-response');
    const repeated = issued.spentBy !== undefined && (key === '' || issued.spentBy !== key);
    if (repeated || now() - issued.solvedAtMs > tokenLifeMs) return failure('timeout-or-duplicate');
    issued.spentBy = key;
    return success(issued);
  };

  const server = createServer((request, response) => {
    answer(request).then(
      ([status, body]) => send(response, status, body),
      () => send(response, 400, failure('bad-request')),
    );
  });
  const answer = async (request: IncomingMessage): Promise<[number, Verdict]> => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (request.method === 'GET' && url.pathname === '/token') return [200, solve(url)];
    if (request.method !== 'POST' || url.pathname !== '/turnstile/v0/siteverify') return [404, {}];
    return [200, verify(fieldsOf(request.headers['content-type'] ?? '', await bodyOf(request)))];
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers to a challenge that fail as if the request or the service were at fault. */
const stumblingBlocks = new Set(['bad-request', 'internal-error']);

const failure = (code: string): Verdict => ({ success: false, 'error-codes': [code], messages: [] });

const success = ({ action, hostname, solvedAtMs }: Omit<Issued, 'spentBy'>): Verdict => ({
  success: true,
  'error-codes': [],
  challenge_ts: new Date(solvedAtMs).toISOString(),
  hostname,
  action,
  cdata: '',
});

function send(response: ServerResponse, status: number, body: Verdict): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new RangeError('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A form or JSON body. @throws SyntaxError. */
function fieldsOf(type: string, body: string): Record<string, string> {
  const entries = type.startsWith('application/json')
    ? Object.entries(JSON.parse(body) as Record<string, unknown>)
    : [...new URLSearchParams(body)];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
