import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authenticateRequest } from '../aws-gate/body.ts';
import { restJsonRefusal, sendRestJsonError } from '../aws-gate/errors.ts';
import type { AwsCredentials } from '../aws-gate/verify.ts';
import { appPage, inboxPage, mailPage } from './pages.ts';
import { readSendEmail, SesRefusal } from './ses.ts';
import { createMailStore } from './store.ts';

export type MailServerOptions = {
  /** 0 picks a free one. */
  port: number;
  region: string;
  credentials: readonly AwsCredentials[];
  /** Keeps mails across restarts; without it they live in memory. */
  dataDir?: string;
  /** The API, for the commands the inbox shows. */
  apiUrl: string;
  now?: () => Date;
};

export type MailServer = { url: string; port: number; close(): Promise<void> };

const SEND_PATH = '/v2/email/outbound-emails';
const MAX_BODY_BYTES = 1_000_000;

/**
 * Starts the stand-in for Amazon SES v2: `SendEmail` with a checked Signature Version 4, and an inbox that keeps what was
 * sent. `GET /` shows the mails, `GET /api/mails?to=` lists them as JSON, `DELETE /api/mails` forgets them,
 * `POST /api/failures` makes the next sends fail. Loopback only, and only for pages of its own host name: mails hold links
 * that open accounts. Rejects when the port is taken.
 */
export async function startMailServer(options: MailServerOptions): Promise<MailServer> {
  const now = options.now ?? (() => new Date());
  const store = createMailStore(options.dataDir, now);
  let failures: { count: number; status: number; code: string } = { count: 0, status: 500, code: '' };

  async function send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { region, credentials } = options;
    const gate = await authenticateRequest(
      request,
      { service: 'ses', region, credentials, now },
      MAX_BODY_BYTES,
    );
    if (!gate.ok) return sendRestJsonError(response, restJsonRefusal(gate));
    if (failures.count > 0) {
      failures.count -= 1;
      return sendRestJsonError(response, { ...failures, message: 'Asked to fail.' });
    }
    try {
      const mail = store.add(readSendEmail(JSON.parse(gate.body.toString('utf8'))));
      sendJson(response, 200, { MessageId: mail.id });
    } catch (error) {
      const code = error instanceof SesRefusal ? error.code : 'BadRequestException';
      sendRestJsonError(response, {
        status: 400,
        code,
        message: error instanceof Error ? error.message : '',
      });
    }
  }

  async function setFailures(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    failures = { status: 500, code: 'InternalFailure', ...(JSON.parse(body) as { count: number }) };
    response.writeHead(204).end();
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://mail.local');
    const call = `${request.method} ${url.pathname}`;
    if (call === `POST ${SEND_PATH}`) return send(request, response);
    // A site that lets its name point here must not read the mails.
    if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(request.headers.host ?? ''))
      return void response.writeHead(421).end();
    if (call === 'GET /') return sendPage(response, inboxPage(store.list()));
    if (call === 'GET /api/mails')
      return sendJson(response, 200, { mails: store.list(url.searchParams.get('to') ?? undefined) });
    if (call === 'DELETE /api/mails' && request.headers.origin === undefined) {
      store.clear();
      return void response.writeHead(204).end();
    }
    if (call === 'POST /api/failures' && request.headers.origin === undefined)
      return setFailures(request, response);
    if (request.method === 'GET' && url.pathname.startsWith('/app/')) {
      const nonce = randomBytes(16).toString('base64');
      return sendPage(response, appPage(options.apiUrl, nonce), `'nonce-${nonce}'`);
    }
    const mail = store.get(/^GET \/mails\/([\w-]+)$/.exec(call)?.[1] ?? '');
    if (mail === undefined) return void response.writeHead(404).end('There is nothing here.\n');
    sendPage(response, mailPage(mail, options.apiUrl));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else response.writeHead(400).end(`${error instanceof Error ? error.message : 'bad request'}\n`);
    });
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function sendPage(response: ServerResponse, html: string, script = "'none'"): void {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; script-src ${script}; frame-ancestors 'none'; base-uri 'none'`,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(html);
}
