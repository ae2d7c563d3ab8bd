import type { RequestContext } from '../context.ts';
import { unauthenticated } from './errors.ts';

/** The signed-in user who asks, if any. */
export const viewerIdOf = (ctx: Pick<RequestContext, 'actor'>): string | undefined =>
  ctx.actor.kind === 'user' ? ctx.actor.userId : undefined;

/**
 * The signed-in user who asks.
 * @throws auth.unauthenticated when nobody is signed in.
 */
export function requireViewerId(ctx: Pick<RequestContext, 'actor'>): string {
  const viewerId = viewerIdOf(ctx);
  if (viewerId === undefined) throw unauthenticated();
  return viewerId;
}
