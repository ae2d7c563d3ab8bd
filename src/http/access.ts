import type { KeyHolder, TokenHolder } from '../context.ts';
import { authenticate } from './authenticate.ts';
import { authorizationOf } from './browser-session.ts';
import type { AppContext, AppMiddleware } from './env.ts';
import { apiKeyRefused, forbidden, insufficientScope, unauthenticated } from './errors.ts';
import type { RoutePolicy } from './route-policies.ts';
import { assertSessionLive } from './session-guard.ts';
import { offeredTicketOf, redeemTicket } from './tickets.ts';

const reads: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Enforces who may call a route and puts the actor into the context. A token whose session has ended, or whose roles were
 * changed, is refused: at once where the policy is `sensitive` or names roles, elsewhere as soon as this isolate's lease on the
 * session's state has run out. An API key passes where it was granted the route's scope, and nowhere else.
 * @throws auth.unauthenticated, realtime.ticket_invalid, auth.forbidden, auth.insufficient_scope, auth.api_key_refused.
 */
export function enforceAccess(policy: RoutePolicy): AppMiddleware {
  const { access, roles, sensitive } = policy;
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
        const actor = await callerOf(c, policy);
        if (actor === undefined && access.kind === 'user')
          throw unauthenticated({ headers: { 'www-authenticate': 'Bearer realm="social-flow"' } });
        if (actor?.kind === 'user') await assertSessionLive(ctx, actor, options);
        if (actor !== undefined) c.set('ctx', { ...ctx, actor });
        if (actor?.kind === 'api_key') assertGranted(policy, actor);
        if (actor?.kind === 'user') c.set('token', { issuedAt: actor.issuedAt, expiresAt: actor.expiresAt });
        if (roles !== undefined && !hasRole(actor, roles)) throw forbidden();
        break;
      }
      default:
        throw forbidden({ cause: access satisfies never });
    }
    await next();
  };
}

async function callerOf(
  c: AppContext,
  { ticket }: RoutePolicy,
): Promise<TokenHolder | KeyHolder | undefined> {
  const { ctx } = c.var;
  const offered = ticket === undefined ? undefined : offeredTicketOf(c);
  if (ticket !== undefined && offered !== undefined) return redeemTicket(ctx, offered, ticket);
  return authenticate(ctx, authorizationOf(c), { fresh: !reads.has(c.req.method) });
}

/** Refuses everybody: what a route without a policy gets. */
export function nobody(): AppMiddleware {
  return () => {
    throw forbidden();
  };
}

/** Whether API keys may call a route at all: never where a session that has just ended, or a stolen token, must not suffice. */
export const isOpenToKeys = ({ scope, sensitive, stepUp, roles }: RoutePolicy): boolean =>
  scope !== undefined && sensitive !== true && stepUp !== true && roles === undefined;

// RFC 6750 §3.1.
function assertGranted(policy: RoutePolicy, key: KeyHolder): void {
  const { scope } = policy;
  const challenge = 'Bearer realm="social-flow", error="insufficient_scope"';
  if (scope === undefined || !isOpenToKeys(policy))
    throw apiKeyRefused({ headers: { 'www-authenticate': challenge } });
  if (!key.scopes.includes(scope))
    throw insufficientScope({ headers: { 'www-authenticate': `${challenge}, scope="${scope}"` } });
}

const hasRole = (actor: TokenHolder | KeyHolder | undefined, roles: readonly string[]): boolean =>
  actor?.kind === 'user' && actor.scopes.some((scope) => roles.includes(scope));
