import { matchedRoutes } from 'hono/route';
import { readPinHeaders } from '../db/read-pin.ts';
import type { AppMiddleware } from './env.ts';
import {
  bodyTooLarge,
  duplicateParameter,
  malformedJson,
  plainHttp,
  tokenInAddress,
  unsupportedMediaType,
} from './errors.ts';
import { type DeclaredRoute, policySymbol } from './route.ts';

const writes = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Refuses plain http outside development and tests, before anything is read of the request. It is not sent on to https: a client
 * that speaks plain http must fail the first time, not go on showing its tokens to the network.
 * @throws http.https_required.
 */
export function refusePlainHttp(): AppMiddleware {
  return async (c, next) => {
    const { environment } = c.var.ctx.config.app;
    const deployed = environment === 'staging' || environment === 'production';
    if (deployed && new URL(c.req.url).protocol === 'http:') throw plainHttp();
    await next();
  };
}

/** Refuses what no handler should see: repeated query keys, secrets in the query, bodies that are too large, not JSON, or not UTF-8. */
export function guardRequest(): AppMiddleware {
  return async (c, next) => {
    const repeated = repeatedKeyOf(c.req.url);
    if (repeated !== undefined)
      throw duplicateParameter({
        errors: [
          { pointer: `?${repeated.slice(0, 100)}`, code: 'duplicate', message: 'Given more than once.' },
        ],
      });

    const secret = secretKeyOf(c.req.url);
    if (secret !== undefined)
      throw tokenInAddress({
        errors: [{ pointer: `?${secret}`, code: 'secret', message: 'Not accepted in an address.' }],
      });

    if (writes.has(c.req.method) && c.req.raw.body !== null) await checkBody(c);
    await next();
  };
}

/** After a successful write, lets the same client read from the primary for a few seconds. */
export function pinReadsAfterWrite(): AppMiddleware {
  return async (c, next) => {
    await next();
    if (!writes.has(c.req.method) || c.res.status >= 400 || policyAt(c)?.unpinned === true) return;
    const { clock, config } = c.var.ctx;
    if (config.database.readPinSeconds === 0) return;
    const headers = readPinHeaders(clock.now(), config.database.readPinSeconds);
    c.res.headers.set('x-read-pin', headers['x-read-pin']);
    c.res.headers.append('set-cookie', headers['set-cookie']);
  };
}

function repeatedKeyOf(url: string): string | undefined {
  if (!url.includes('?')) return undefined;
  const seen = new Set<string>();
  for (const key of new URL(url).searchParams.keys()) {
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return undefined;
}

// Ignoring them would leave a client in the belief that this is how to log in.
const secretKeys = new Set([
  'access_token', 'refresh_token', 'id_token', 'mfa_token', 'token', 'bearer', 'authorization', 'api_key', 'apikey', 'password', 'ticket',
]); // biome-ignore format: one list

function secretKeyOf(url: string): string | undefined {
  if (!url.includes('?')) return undefined;
  return [...new URL(url).searchParams.keys()].find((key) => secretKeys.has(key.toLowerCase()));
}

async function checkBody(c: Parameters<AppMiddleware>[0]): Promise<void> {
  const limit = c.var.ctx.config.http.maxBodyBytes;
  const declared = Number(c.req.header('content-length') ?? '0');
  if (declared > limit) throw bodyTooLarge({ detail: `At most ${limit} bytes are accepted.` });
  const bytes = await readAtMost(c.req.raw.body, limit);
  if (bytes === undefined) throw bodyTooLarge({ detail: `At most ${limit} bytes are accepted.` });
  // The body was consumed here once, with the limit; validators and the idempotency fingerprint read this copy.
  Object.assign(c.req.bodyCache, { arrayBuffer: Promise.resolve(bytes.buffer) });
  if (bytes.length === 0) return;
  if (!/^(identity)?$/i.test(c.req.header('content-encoding') ?? '')) throw unsupportedMediaType();
  const type = c.req.header('content-type') ?? '';
  if (/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type) && takesForm(c)) return;
  if (!/^application\/json(\s*;\s*charset=utf-8)?\s*$/i.test(type)) throw unsupportedMediaType();
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw malformedJson();
  }
}

const takesForm = (c: Parameters<AppMiddleware>[0]): boolean => policyAt(c)?.form === true;

const policyAt = (c: Parameters<AppMiddleware>[0]): DeclaredRoute['policy'] | undefined =>
  matchedRoutes(c)
    .filter(({ method }) => method === c.req.method)
    .map(({ handler }) => (handler as { [policySymbol]?: DeclaredRoute })[policySymbol]?.policy)
    .find((policy) => policy !== undefined);

async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
