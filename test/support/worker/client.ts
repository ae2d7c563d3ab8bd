import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { neon, neonConfig } from '@neondatabase/serverless';
import { importJWK, SignJWT } from 'jose';
import { inject } from 'vitest';
import type { Bindings } from '../../../src/context.ts';
import worker from '../../../src/index.ts';
import { encodeId, randomIds } from '../../../src/shared/ids.ts';
import { testEnv } from './env.ts';

export const origin = 'https://api.test';

export interface CallOptions {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Client address; every call has one of its own unless told, so that limits by address do not meet across tests. */
  readonly ip?: string;
  /** Bindings other than the test environment's, to count calls or take a part away. */
  readonly bindings?: Bindings;
}

let nextAddress = 0;

/** A request from a client address no other test uses. */
export const freshAddress = (): string => {
  nextAddress += 1;
  return `10.${(nextAddress >> 16) & 255}.${(nextAddress >> 8) & 255}.${nextAddress & 255}`;
};

/** Calls the Worker as a client would and waits for its background work too. */
export async function call(method: string, path: string, options: CallOptions = {}): Promise<Response> {
  const headers = new Headers({ 'cf-connecting-ip': options.ip ?? freshAddress(), ...options.headers });
  if (options.token !== undefined) headers.set('authorization', `Bearer ${options.token}`);
  const raw = typeof options.body === 'string' || options.body instanceof Uint8Array;
  if (options.body !== undefined && !headers.has('content-type'))
    headers.set('content-type', 'application/json');
  const body =
    options.body === undefined ? null : raw ? (options.body as string) : JSON.stringify(options.body);
  const context = createExecutionContext();
  const response = await worker.fetch(
    new Request(`${origin}${path}`, { method, headers, body }) as Parameters<typeof worker.fetch>[0],
    options.bindings ?? testEnv(env),
    context,
  );
  await waitOnExecutionContext(context);
  return response;
}

/** Calls and parses a JSON answer, asserting its status so that a failure shows the problem. */
export async function callJson<T = Record<string, unknown>>(
  expectedStatus: number,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<T> {
  const response = await call(method, path, options);
  const text = await response.text();
  if (response.status !== expectedStatus)
    throw new Error(`${method} ${path}: expected ${expectedStatus}, got ${response.status}: ${text}`);
  return (text === '' ? {} : JSON.parse(text)) as T;
}

export interface RoundTrips {
  readonly roundTrips: number;
  readonly background: number;
  readonly statements: number;
}

/** Database round trips of one request, as the Neon bridge counted them. */
export async function roundTripsOf(response: Response): Promise<RoundTrips> {
  const answer = await fetch(
    `${inject('neonBridgeUrl')}/stats?request_id=${response.headers.get('x-request-id')}`,
  );
  return answer.json();
}

/** Runs SQL against this file's primary (or a shard) as the application role, to look at what the API cannot show. */
export async function sqlRows<T = Record<string, unknown>>(
  text: string,
  params: unknown[] = [],
  shard?: number,
): Promise<T[]> {
  neonConfig.fetchEndpoint = () => `${inject('neonBridgeUrl')}/sql`;
  const bindings = testEnv(env);
  const url =
    shard === undefined ? bindings.DATABASE_URL : String(bindings.DATABASE_SHARD_URLS).split(',')[shard];
  return (await neon(String(url)).query(text, params)) as T[];
}

export interface TestUser {
  /** `usr_...` */
  readonly id: string;
  readonly uuid: string;
  readonly username: string;
  readonly sessionUuid: string;
  readonly token: string;
}

let nextUser = 0;

/** A user with a session and a valid access token, made without the cost of hashing a password. */
export async function seedUser(
  options: { readonly username?: string; readonly displayName?: string } = {},
): Promise<TestUser> {
  nextUser += 1;
  const uuid = randomIds.next();
  const sessionUuid = randomIds.next();
  const username = options.username ?? `user_${nextUser}_${uuid.slice(-6)}`;
  await sqlRows(
    `WITH new_user AS (
       INSERT INTO users (id, username, email, display_name) VALUES ($1, $2, $3, $4) RETURNING id
     ), counters AS (INSERT INTO user_counters (user_id) SELECT id FROM new_user)
     INSERT INTO sessions (id, user_id, amr, auth_time, expires_at)
     SELECT $5, id, '{pwd}', now(), now() + interval '1 day' FROM new_user`,
    [uuid, username, `${username}@example.com`, options.displayName ?? username, sessionUuid],
  );
  return {
    id: encodeId('user', uuid),
    uuid,
    username,
    sessionUuid,
    token: await signToken({ userUuid: uuid, sessionUuid }),
  };
}

/** An access token signed with the Worker's own test key; `claims` and `header` override to forge odd ones. */
export async function signToken(options: {
  readonly userUuid: string;
  readonly sessionUuid: string;
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
}): Promise<string> {
  const bindings = testEnv(env);
  const [jwk] = JSON.parse(String(bindings.ACCESS_TOKEN_KEYS)) as [Record<string, string>];
  const key = await importJWK(jwk, 'EdDSA');
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: String(bindings.TOKEN_ISSUER),
    aud: 'social-flow',
    sub: encodeId('user', options.userUuid),
    sid: encodeId('session', options.sessionUuid),
    epoch: 0,
    scope: 'user',
    amr: ['pwd'],
    auth_time: now,
    iat: now,
    exp: now + 1800,
    jti: randomIds.next(),
    ...options.claims,
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: jwk.kid ?? '', ...options.header })
    .sign(key);
}
