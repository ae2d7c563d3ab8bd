import type { Context, MiddlewareHandler } from 'hono';
import type { Bindings, RequestContext } from '../context.ts';

/** What every handler and middleware sees: the bindings, and the request context under `c.var.ctx`. */
export interface AppEnv {
  Bindings: Bindings;
  Variables: {
    ctx: RequestContext;
    /** The life of the access token that named the actor, if one did; Unix seconds. */
    token?: { readonly issuedAt: number; readonly expiresAt: number };
  };
}

export type AppContext = Context<AppEnv>;
export type AppMiddleware = MiddlewareHandler<AppEnv>;
