import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A message as it would have reached the phone. */
export interface CapturedMessage {
  readonly sid: string;
  readonly to: string;
  readonly from: string;
  readonly body: string;
  /** RFC 3339. */
  readonly sentAt: string;
}

export interface SmsServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface SmsServerOptions {
  /** 0 for any free port. */
  readonly port: number;
  readonly accountSid: string;
  readonly authToken: string;
}

const maxBodyBytes = 16_384;
const keptMessages = 1_000;
// The numbers of Twilio's test credentials (https://www.twilio.com/docs/iam/test-credentials).
const magicNumbers: Readonly<Record<string, readonly [code: number, message: string]>> = {
  '+15005550001': [21_211, 'is not a valid phone number'],
  '+15005550002': [21_612, 'cannot be reached from this sender'],
  '+15005550003': [21_408, 'is in a region this account does not send to'],
  '+15005550004': [21_610, 'has asked for no more messages'],
  '+15005550009': [21_614, 'cannot receive SMS messages'],
};

/**
 * Stands in for Twilio's Messages API: checks credentials and fields, answers as Twilio does, and keeps what it was given.
 * `GET /messages?to=+351...` shows the messages, newest last, to whoever reaches the loopback address.
 */
export async function startSmsServer(options: SmsServerOptions): Promise<SmsServer> {
  const messages: CapturedMessage[] = [];
  const server = createServer((request, response) => {
    handle(options, messages, request, response).catch(() => response.destroy());
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

async function handle(
  options: SmsServerOptions,
  messages: CapturedMessage[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://sms.local');
  if (request.method === 'GET' && url.pathname === '/messages') {
    const to = url.searchParams.get('to');
    return sendJson(response, 200, {
      messages: messages.filter((message) => to === null || message.to === to),
    });
  }
  const account = /^\/2010-04-01\/Accounts\/([^/]+)\/Messages\.json$/.exec(url.pathname)?.[1];
  if (account === undefined) return refuse(response, 404, 20_404, `${url.pathname} was not found`);
  if (request.method !== 'POST') return refuse(response, 405, 20_004, 'Method not allowed');
  if (account !== options.accountSid || !isAuthentic(options, request.headers.authorization))
    return refuse(response, 401, 20_003, 'Authenticate');
  const form = new URLSearchParams(await bodyOf(request));
  const to = form.get('To') ?? '';
  const from = form.get('MessagingServiceSid') ?? form.get('From') ?? '';
  const body = form.get('Body') ?? '';
  if (to === '') return refuse(response, 400, 21_604, "A 'To' phone number is required");
  if (from === '') return refuse(response, 400, 21_603, "A 'From' phone number is required");
  if (body === '') return refuse(response, 400, 21_602, 'Message body is required');
  if (body.length > 1_600) return refuse(response, 400, 21_617, 'The body is longer than 1600 characters');
  const magic = magicNumbers[to] ?? (/^\+[1-9]\d{6,14}$/.test(to) ? undefined : magicNumbers['+15005550001']);
  if (magic !== undefined) return refuse(response, 400, magic[0], `The 'To' number ${to} ${magic[1]}`);
  const message = {
    sid: `SM${randomBytes(16).toString('hex')}`,
    to,
    from,
    body,
    sentAt: new Date().toISOString(),
  };
  messages.push(message);
  if (messages.length > keptMessages) messages.shift();
  sendJson(response, 201, {
    sid: message.sid,
    account_sid: account,
    to,
    from,
    body,
    status: 'queued',
    num_segments: '1',
    error_code: null,
    error_message: null,
    uri: `/2010-04-01/Accounts/${account}/Messages/${message.sid}.json`,
  });
}

function isAuthentic(
  { accountSid, authToken }: SmsServerOptions,
  authorization: string | undefined,
): boolean {
  const expected = Buffer.from(`Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`);
  const given = Buffer.from(authorization ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new RangeError('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const refuse = (response: ServerResponse, status: number, code: number, message: string): void =>
  sendJson(response, status, {
    code,
    message,
    more_info: `https://www.twilio.com/docs/errors/${code}`,
    status,
  });

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
