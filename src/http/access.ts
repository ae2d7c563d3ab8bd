import type { TokenHolder } from '../context.ts';
import { authenticate } from './authenticate.ts';
import { authorizationOf } from './browser-session.ts';
import type { AppMiddleware } from './env.ts';
import { forbidden, unauthenticated } from './errors.ts';
import type { RoutePolicy } from './route-policies.ts';
import { assertSessionLive } from './session-guard.ts';

/**
 * Enforces who may call a route and puts the actor into the context. A token whose session has ended, or whose roles were
 * changed, is refused: at once where the policy is `sensitive` or names roles, elsewhere as soon as this isolate's lease on the
 * session's state has run out.
 * @throws auth.unauthenticated, auth.forbidden.
 */
export function enforceAccess({ access, roles, sensitive }: RoutePolicy): AppMiddleware {
  const options = { sensitive: sensitive === true || roles !== undefined };
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
        const actor = await authenticate(ctx, authorizationOf(c));
        if (actor === undefined && access.kind === 'user')
          throw unauthenticated({ headers: { 'www-authenticate': 'Bearer realm="social-flow"' } });
        if (actor !== undefined) {
          await assertSessionLive(ctx, actor, options);
          c.set('ctx', { ...ctx, actor });
        }
        if (roles !== undefined && !hasRole(actor, roles)) throw forbidden();
        break;
      }
      default:
        throw forbidden({ cause: access satisfies never });
    }
    await next();
  };
}

/** Refuses everybody: what a route without a policy gets. */
export function nobody(): AppMiddleware {
  return () => {
    throw forbidden();
  };
}

const hasRole = (actor: TokenHolder | undefined, roles: readonly string[]): boolean =>
  actor?.scopes.some((scope) => roles.includes(scope)) === true;
