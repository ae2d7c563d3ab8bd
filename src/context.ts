import { type Config, parseConfig } from './config/index.ts';
import { createDatabases, type Databases, type Db } from './db/client.ts';
import { createApiKeys } from './modules/api-keys/index.ts';
import { createAccessTokens, createSessionStanding } from './modules/auth/index.ts';
import type { Logger } from './observability/logger.ts';
import { createLogger } from './observability/logger.ts';
import type { TraceContext } from './observability/trace.ts';
import { type Clock, systemClock } from './shared/clock.ts';
import type { IdSource } from './shared/ids.ts';

/** What the runtime hands the Worker: bindings of wrangler.toml, and settings as strings. */
export interface Bindings {
  readonly RATE_LIMITER: DurableObjectNamespace<
    import('../durable-objects/rate-limiter/rate-limiter.ts').RateLimiter
  >;
  readonly LOCK: DurableObjectNamespace<import('../durable-objects/lock/lock.ts').Lock>;
  readonly IDEMPOTENCY: DurableObjectNamespace<
    import('../durable-objects/idempotency/idempotency.ts').Idempotency
  >;
  readonly USER_HUB: DurableObjectNamespace<import('../durable-objects/user-hub/user-hub.ts').UserHub>;
  readonly SESSION_GUARD: DurableObjectNamespace<
    import('../durable-objects/session-guard/session-guard.ts').SessionGuard
  >;
  readonly VIEW_COUNTER: DurableObjectNamespace<
    import('../durable-objects/view-counter/view-counter.ts').ViewCounter
  >;
  readonly CHAT_ROOM: DurableObjectNamespace<import('../durable-objects/chat-room/chat-room.ts').ChatRoom>;
  readonly CHAT_RELAY: DurableObjectNamespace<
    import('../durable-objects/chat-relay/chat-relay.ts').ChatRelay
  >;
  readonly EVENTS_QUEUE: Queue;
  readonly MEDIA_QUEUE: Queue;
  readonly WEBHOOKS_QUEUE: Queue;
  readonly FLAGS: KVNamespace;
  readonly EDGE_LIMIT: RateLimit;
  readonly ASSETS?: Fetcher;
  readonly [setting: string]: unknown;
}

/** Who calls a verb. The same verbs serve HTTP, queues, cron and webhooks. */
export type Actor =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'user';
      readonly userId: string;
      readonly sessionId: string;
      readonly scopes: readonly string[];
      readonly amr: readonly string[];
      /** Unix seconds of the last full login. */
      readonly authTime: number;
      readonly epoch: number;
    }
  | {
      readonly kind: 'api_key';
      readonly keyId: string;
      /** The account the key acts for. */
      readonly userId: string;
      readonly scopes: readonly string[];
    }
  | { readonly kind: 'system'; readonly job: string }
  | { readonly kind: 'webhook'; readonly source: string };

/** The user an access token names. Whether the session has ended since is the session guard's to say. */
export type TokenHolder = Extract<Actor, { kind: 'user' }> & {
  /** Unix seconds at which the token was signed. */
  readonly issuedAt: number;
  /** Unix seconds at which it ends. */
  readonly expiresAt: number;
};

/** The account and the grants of an API key. */
export type KeyHolder = Extract<Actor, { kind: 'api_key' }>;

/** Checks API keys. */
export interface ApiKeys {
  /**
   * Whom a key acts for; undefined when it is not a live key that may be used from the caller's network. Without `fresh`, what
   * the primary said up to nine seconds ago is good enough; a key without the right form or checksum costs no trip.
   */
  verify(
    ctx: RequestContext,
    key: string,
    options: { readonly fresh: boolean },
  ): Promise<KeyHolder | undefined>;
  /** Drops what this isolate remembers of keys, after some of them or an account ended. */
  forget(): void;
}

/** Signs and checks access tokens without a network or database trip. */
export interface AccessTokens {
  /** The user a token names, or undefined when the token is not a live access token of this deployment. */
  verify(token: string): Promise<TokenHolder | undefined>;
}

/** Built once per isolate from the bindings. */
export interface Services {
  readonly bindings: Bindings;
  readonly config: Config;
  readonly databases: Databases;
  readonly accessTokens: AccessTokens;
  readonly apiKeys: ApiKeys;
  /** Whether the session of a token is live now and its account has a second factor; a trip to the primary. */
  readonly sessionStanding: (
    actor: Extract<Actor, { kind: 'user' }>,
    nowSeconds: number,
  ) => Promise<{ readonly secondFactor: boolean } | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Everything a verb may use, for one request, message or cron run. */
export interface RequestContext extends Services {
  readonly actor: Actor;
  readonly requestId: string;
  readonly trace: TraceContext;
  /** Client address as Cloudflare saw it; never from a header the client controls. */
  readonly ip: string | undefined;
  readonly country: string | undefined;
  readonly userAgent: string | undefined;
  readonly ids: IdSource;
  /** Replica, or the primary for a few seconds after this client wrote. */
  readonly readDb: Db;
  /** Keeps the isolate alive for work after the response; its database trips count as background work. */
  background(task: () => Promise<unknown>): void;
}

const servicesByBindings = new WeakMap<object, Services>();

/**
 * The services of this isolate, made on first use.
 * @throws ConfigError naming every setting that is missing, malformed or unsafe.
 */
export function servicesOf(bindings: Bindings): Services {
  let services = servicesByBindings.get(bindings);
  if (services === undefined) {
    const config = parseConfig(bindings);
    const databases = createDatabases(config.database);
    services = {
      bindings,
      config,
      databases,
      accessTokens: createAccessTokens(config.auth),
      apiKeys: createApiKeys(),
      sessionStanding: createSessionStanding(databases),
      clock: systemClock,
      log: createLogger(config.app.logLevel, {
        release: config.app.release,
        environment: config.app.environment,
      }),
    };
    servicesByBindings.set(bindings, services);
  }
  return services;
}
