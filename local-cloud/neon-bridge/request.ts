import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { sqlHttpError } from './errors.ts';
import { paramToText } from './values.ts';

/** Neon's documented limit per request and per response. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Whom to connect as; the host in the connection string is ignored, there is only one Postgres here. */
export type Target = { user: string; password: string; database: string };

export type Statement = { text: string; params: (string | null)[]; arrayMode: boolean | undefined };

export type SqlPayload =
  | { kind: 'single'; statement: Statement }
  | { kind: 'batch'; statements: Statement[] };

export type SqlOptions = {
  rawText: boolean;
  arrayMode: boolean;
  isolationLevel: 'SERIALIZABLE' | 'READ UNCOMMITTED' | 'READ COMMITTED' | 'REPEATABLE READ' | null;
  readOnly: boolean;
  deferrable: boolean;
};

const ISOLATION_LEVELS = {
  Serializable: 'SERIALIZABLE',
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
} as const;

/** Reads user, password and database out of the Neon-Connection-String header. Throws a 400 SqlHttpError. */
export function parseTarget(headers: IncomingHttpHeaders): Target {
  const header = headers['neon-connection-string'];
  if (typeof header !== 'string') throw sqlHttpError(400, 'invalid header: neon-connection-string');
  let url: URL;
  try {
    // The WHATWG parser only knows credentials and default ports of special schemes, so postgres: is read as http:.
    url = new URL(header.replace(/^postgres(ql)?:/, 'http:'));
  } catch {
    throw sqlHttpError(400, 'invalid connection string: relative URL without a base');
  }
  if (!/^postgres(ql)?:/.test(header)) throw sqlHttpError(400, 'incorrect scheme');
  const database = decode(url.pathname.slice(1), 'invalid database name');
  if (database === '' || database.includes('/')) throw sqlHttpError(400, 'missing database name');
  const user = decode(url.username, 'invalid username');
  if (user === '') throw sqlHttpError(400, 'missing username');
  const password = decode(url.password, 'missing authentication credentials: required password');
  if (password === '') throw sqlHttpError(400, 'missing authentication credentials: required password');
  return { user, password, database };
}

function decode(part: string, failure: string): string {
  try {
    const text = decodeURIComponent(part);
    if (text.includes('\0')) throw new Error('NUL cannot be sent to Postgres');
    return text;
  } catch {
    throw sqlHttpError(400, failure);
  }
}

/** Reads the Neon-* option headers; anything but exactly "true" is false, as in Neon's proxy. */
export function parseOptions(headers: IncomingHttpHeaders): SqlOptions {
  const isTrue = (name: string): boolean => headers[name] === 'true';
  const level = headers['neon-batch-isolation-level'];
  if (level !== undefined && !isIsolationLevel(level)) throw sqlHttpError(400, 'invalid isolation level');
  return {
    rawText: isTrue('neon-raw-text-output'),
    arrayMode: isTrue('neon-array-mode'),
    isolationLevel: level === undefined ? null : ISOLATION_LEVELS[level],
    readOnly: isTrue('neon-batch-read-only'),
    deferrable: isTrue('neon-batch-deferrable'),
  };
}

function isIsolationLevel(value: string | string[]): value is keyof typeof ISOLATION_LEVELS {
  return typeof value === 'string' && Object.hasOwn(ISOLATION_LEVELS, value);
}

/** Reads and parses the body: `{query, params}` or `{queries: [...]}`. Throws a 400 or 413 SqlHttpError. */
export async function readPayload(request: IncomingMessage): Promise<SqlPayload> {
  const text = await readText(request);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : 'invalid JSON');
  }
  if (!isObject(body)) throw unreadable('expected an object');
  if (typeof body.query === 'string') return { kind: 'single', statement: parseStatement(body) };
  if (Array.isArray(body.queries)) return { kind: 'batch', statements: body.queries.map(parseStatement) };
  throw unreadable('expected "query" or "queries"');
}

function parseStatement(value: unknown): Statement {
  if (!isObject(value) || typeof value.query !== 'string') throw unreadable('missing field "query"');
  if (value.params !== undefined && !Array.isArray(value.params))
    throw unreadable('"params" must be an array');
  if (value.arrayMode !== undefined && value.arrayMode !== null && typeof value.arrayMode !== 'boolean') {
    throw unreadable('"arrayMode" must be a boolean');
  }
  const params = (value.params ?? []).map(paramToText);
  // Neon's proxy reads the body as Rust strings, which cannot hold half a character.
  if (params.some((param) => param?.isWellFormed() === false))
    throw unreadable('lone leading surrogate in hex escape');
  return {
    text: value.query,
    params,
    arrayMode: value.arrayMode ?? undefined,
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  const tooLarge = sqlHttpError(413, `request is too large (max is ${MAX_BODY_BYTES} bytes)`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let length = 0;
  // A refused body is left unread rather than destroyed, so that the refusal can still be sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(bytes);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw unreadable('invalid unicode code point');
  }
}

function unreadable(reason: string): Error {
  return sqlHttpError(400, `could not parse the HTTP request body: ${reason}`);
}

/** Path and query of a request; an unparsable request line counts as the root. */
export function urlOf(request: IncomingMessage): URL {
  const base = 'http://bridge';
  return URL.parse(request.url ?? '/', base) ?? new URL(base);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
