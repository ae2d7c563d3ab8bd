import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { escapeXml } from '../aws-gate/errors.ts';

/** A webhook as it arrived. */
export interface InboxMessage {
  readonly path: string;
  /** RFC 3339. */
  readonly receivedAt: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What was answered. */
  readonly status: number;
  /** Whether it is signed by a secret of its path; null when no secret of the path is known. */
  readonly verified: boolean | null;
}

export interface WebhookInbox {
  readonly url: string;
  close(): Promise<void>;
}

const maxBodyBytes = 262_144;
const keptMessages = 500;
const toleranceSeconds = 300;

interface State {
  readonly messages: InboxMessage[];
  readonly secrets: Map<string, string[]>;
  /** What the next requests to a path are answered. */
  readonly answers: Map<string, { status: number; times: number }>;
}

/**
 * Receives webhooks: a `POST /in/<anything>` is kept and answered 204. `GET /` shows what came, `GET /api/messages?path=/in/a`
 * the same as JSON. `POST /api/secrets {path, secret}` lets signatures be verified as Standard Webhooks 1.0.0 says;
 * `POST /api/answers {path, status, times}` plays a receiver that fails.
 */
export async function startWebhookInbox(options: { readonly port: number }): Promise<WebhookInbox> {
  const state: State = { messages: [], secrets: new Map(), answers: new Map() };
  const server = createServer((request, response) => {
    handle(state, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 65_000;
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

async function handle(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://inbox.local');
  const { method } = request;
  if (method === 'GET' && url.pathname === '/') {
    response.writeHead(200, { 'content-type': 'text/html' }).end(pageOf(state.messages));
    return;
  }
  if (method === 'GET' && url.pathname === '/api/messages') {
    const path = url.searchParams.get('path');
    const messages = state.messages.filter((message) => path === null || message.path === path);
    return sendJson(response, 200, { messages });
  }
  if (method !== 'POST') return sendJson(response, 405, { error: 'POST webhooks to /in/<anything>' });
  const body = await bodyOf(request);
  if (body === undefined) return sendJson(response, 413, { error: 'too large' });
  if (url.pathname === '/api/secrets') return takeSecret(state, body, response);
  if (url.pathname === '/api/answers') return takeAnswer(state, body, response);
  if (!url.pathname.startsWith('/in')) return sendJson(response, 404, { error: 'not found' });
  return receive(state, url.pathname, request, body, response);
}

function receive(
  state: State,
  path: string,
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
): void {
  const answer = state.answers.get(path);
  const status = answer === undefined || answer.times <= 0 ? 204 : answer.status;
  if (answer !== undefined) answer.times -= 1;
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  const secrets = state.secrets.get(path);
  const verified = secrets === undefined ? null : secrets.some((secret) => verify(secret, headers, body));
  state.messages.push({ path, receivedAt: new Date().toISOString(), headers, body, status, verified });
  if (state.messages.length > keptMessages) state.messages.shift();
  response.writeHead(status).end();
}

function takeSecret(state: State, body: string, response: ServerResponse): void {
  const { path, secret } = fieldsOf(body);
  if (typeof path !== 'string' || typeof secret !== 'string' || !secret.startsWith('whsec_')) {
    sendJson(response, 422, { error: 'needs path and secret' });
    return;
  }
  state.secrets.set(path, [...(state.secrets.get(path) ?? []), secret]);
  sendJson(response, 200, { ok: true });
}

function takeAnswer(state: State, body: string, response: ServerResponse): void {
  const { path, status, times } = fieldsOf(body);
  const known = typeof path === 'string' && Number.isInteger(status) && Number.isInteger(times);
  if (!known || Number(status) < 200 || Number(status) > 599) {
    sendJson(response, 422, { error: 'needs path, status and times' });
    return;
  }
  state.answers.set(path, { status: Number(status), times: Number(times) });
  sendJson(response, 200, { ok: true });
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Verifying signatures". */
function verify(secret: string, headers: Readonly<Record<string, string>>, body: string): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (id === undefined || timestamp === undefined) return false;
  if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) <= toleranceSeconds)) return false;
  const expected = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64'))
    .update(`${id}.${timestamp}.${body}`)
    .digest();
  return signatures.split(' ').some((signature) => {
    const [version, value = ''] = signature.split(',');
    const given = Buffer.from(value, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

const fieldsOf = (body: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
};

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maxBodyBytes) chunks.push(chunk);
  }
  return length > maxBodyBytes ? undefined : Buffer.concat(chunks).toString('utf8');
}

const words = { true: 'signature holds', false: 'signature does not hold', null: 'secret unknown' };

const pageOf = (messages: readonly InboxMessage[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Webhooks of the local cloud</title>
<meta http-equiv="refresh" content="5">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
pre{background:#f4f4f4;padding:1rem;white-space:pre-wrap;overflow-wrap:anywhere}</style></head>
<body><h1>Webhooks of the local cloud</h1>
<p>Give an endpoint the address <code>/in/anything</code> of this server. As JSON: <a href="/api/messages">/api/messages</a>.</p>
${messages.length === 0 ? '<p>Nothing yet.</p>' : ''}
${messages
  .toReversed()
  .map(
    (message) =>
      `<h2>${escapeXml(message.path)}</h2><p>${message.receivedAt}, answered ${message.status}, ${words[`${message.verified}`]}</p><pre>${escapeXml(message.body)}</pre>`,
  )
  .join('\n')}</body></html>`;

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
