import type { Actor, RequestContext } from '../context.ts';
import { unauthenticated } from './errors.ts';

/** The account for which a request acts, whether by a session or by an API key; undefined for strangers. */
export const viewerIdOf = ({ actor }: Pick<RequestContext, 'actor'>): string | undefined =>
  actor.kind === 'user' || actor.kind === 'api_key' ? actor.userId : undefined;

/**
 * The account for which a request acts.
 * @throws auth.unauthenticated when there is none.
 */
export function requireViewerId(ctx: Pick<RequestContext, 'actor'>): string {
  const viewerId = viewerIdOf(ctx);
  if (viewerId === undefined) throw unauthenticated();
  return viewerId;
}

/**
 * The session that asks, for what only a person may do: API keys are refused.
 * @throws auth.unauthenticated.
 */
export function requireSession({ actor }: Pick<RequestContext, 'actor'>): Extract<Actor, { kind: 'user' }> {
  if (actor.kind !== 'user') throw unauthenticated();
  return actor;
}
