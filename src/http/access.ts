import { authenticate } from './authenticate.ts';
import type { AppMiddleware } from './env.ts';
import { forbidden, unauthenticated } from './errors.ts';
import { assertSessionLive } from './session-guard.ts';

/**
 * Who may call a route. Every route must say; there is no default.
 * - `public`: anyone, the caller's token is not even read.
 * - `optional`: anyone, but a caller with a token is known (a bad token is refused).
 * - `user`: a valid access token.
 * - `webhook`: an outside system that proves itself in the handler.
 */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'optional' }
  | { readonly kind: 'user' }
  | { readonly kind: 'webhook'; readonly source: 'aws' };

/**
 * Enforces a route's access rule and puts the actor into the context. A token whose session has ended is refused: at once
 * where `sensitive`, elsewhere as soon as this isolate's lease on the session's state has run out.
 */
export function enforceAccess(
  access: Access,
  options: { readonly sensitive: boolean } = { sensitive: false },
): AppMiddleware {
  return async (c, next) => {
    const { ctx } = c.var;
    switch (access.kind) {
      case 'public':
        break;
      case 'webhook':
        c.set('ctx', { ...ctx, actor: { kind: 'webhook', source: access.source } });
        break;
      case 'optional':
      case 'user': {
        const actor = await authenticate(ctx, c.req.header('authorization'));
        if (actor === undefined && access.kind === 'user')
          throw unauthenticated({ headers: { 'www-authenticate': 'Bearer realm="social-flow"' } });
        if (actor !== undefined) {
          await assertSessionLive(ctx, actor, options);
          c.set('ctx', { ...ctx, actor });
        }
        break;
      }
      default:
        throw forbidden({ cause: access satisfies never });
    }
    await next();
  };
}
