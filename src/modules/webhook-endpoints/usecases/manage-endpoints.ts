import type { RequestContext } from '../../../context.ts';
import { invalidRequest } from '../../../http/errors.ts';
import { requireSession, requireViewerId } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { checkOutboundUrl, type UrlProblem } from '../../../shared/net/index.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import {
  deleteEndpoint,
  type EndpointChange,
  findEndpoint,
  insertEndpoint,
  listEndpoints,
  replaceSecret,
  updateEndpoint,
} from '../endpoints.repository.ts';
import { maxEndpoints } from '../policy/fair-share.ts';
import { newSecret } from '../policy/signature.ts';
import { endpointNotFound, tooManyEndpoints } from '../webhook-endpoints.errors.ts';
import type { EndpointRow } from '../webhook-endpoints.views.ts';
import { sealSecret } from './secrets.ts';

/** An endpoint and what it is shown once with. */
export interface WithSecret {
  readonly row: EndpointRow;
  readonly secret: string;
}

/** The caller's endpoints, the newest first. */
export const listMyEndpoints = (ctx: RequestContext): Promise<EndpointRow[]> =>
  listEndpoints(ctx.readDb, requireViewerId(ctx));

/** @throws webhooks.endpoint_not_found. */
export async function getMyEndpoint(ctx: RequestContext, id: string): Promise<EndpointRow> {
  const row = await findEndpoint(ctx.readDb, { id, userId: requireViewerId(ctx) });
  if (row === undefined) throw endpointNotFound();
  return row;
}

/**
 * Makes an endpoint and its secret, which is shown this once, and tells the owner of the account.
 * @throws request.invalid for an address that is not called, webhooks.too_many_endpoints.
 */
export async function createMyEndpoint(
  ctx: RequestContext,
  input: { readonly url: string; readonly eventTypes: readonly string[]; readonly description: string },
): Promise<WithSecret> {
  const { userId } = requireSession(ctx);
  const url = requireCallable(ctx, input.url);
  const id = ctx.ids.next();
  const secret = newSecret();
  const notice = newSecurityNotice(ctx, {
    userId,
    notice: 'webhook_endpoint_added',
    detail: { endpoint: url.host },
  });
  const endpoint = {
    ...input,
    id,
    userId,
    url: url.href,
    sealedSecret: await sealSecret(ctx, id, secret),
    now: nowOf(ctx),
  };
  const row = await insertEndpoint(ctx, endpoint, maxEndpoints, notice);
  if (row === undefined) throw tooManyEndpoints();
  publishAfterResponse(ctx, [notice.id]);
  return { row, secret };
}

/**
 * Changes one of the caller's endpoints. Disabling it gives up what waits for it.
 * @throws request.invalid, webhooks.endpoint_not_found.
 */
export async function updateMyEndpoint(
  ctx: RequestContext,
  id: string,
  change: EndpointChange,
): Promise<EndpointRow> {
  const { userId } = requireSession(ctx);
  const url = change.url === undefined ? undefined : requireCallable(ctx, change.url).href;
  const row = await updateEndpoint(ctx, { id, userId }, { ...change, url }, nowOf(ctx));
  if (row === undefined) throw endpointNotFound();
  return row;
}

/**
 * Gives one of the caller's endpoints a new secret, shown this once. The old one signs, too, for `overlapSeconds`.
 * @throws webhooks.endpoint_not_found.
 */
export async function rotateMySecret(
  ctx: RequestContext,
  id: string,
  overlapSeconds: number,
): Promise<WithSecret> {
  const { userId } = requireSession(ctx);
  const secret = newSecret();
  const nowMs = ctx.clock.now();
  const row = await replaceSecret(
    ctx,
    { id, userId },
    {
      sealed: await sealSecret(ctx, id, secret),
      oldExpiresAt: overlapSeconds === 0 ? undefined : new Date(nowMs + overlapSeconds * 1_000).toISOString(),
      now: nowOf(ctx),
    },
  );
  if (row === undefined) throw endpointNotFound();
  return { row, secret };
}

/**
 * Deletes one of the caller's endpoints. Nothing is sent there any more, but for a request already on its way.
 * @throws webhooks.endpoint_not_found.
 */
export async function deleteMyEndpoint(ctx: RequestContext, id: string): Promise<void> {
  const { userId } = requireSession(ctx);
  if (!(await deleteEndpoint(ctx, { id, userId }))) throw endpointNotFound();
}

const advice: Readonly<Record<UrlProblem, string>> = {
  malformed: 'must be an address such as https://example.com/hooks',
  scheme: 'must begin with https://',
  credentials: 'must hold no username or password',
  port: 'names a port that is not called',
  host: 'must name a host of the public internet',
  private_address: 'must name an address of the public internet',
};

// Where its name leads is asked before each attempt: that can change, and a resolver that is down must keep nobody from this.
function requireCallable(ctx: RequestContext, text: string): URL {
  const checked = checkOutboundUrl(text, ctx.config.outbound);
  if (checked.ok && checked.url.href.length <= maxUrlLength) return checked.url;
  const message = checked.ok ? advice.malformed : advice[checked.problem];
  throw invalidRequest({ errors: [{ pointer: '/url', code: 'not_callable', message }] });
}

const maxUrlLength = 2_048;

const nowOf = (ctx: RequestContext): string => new Date(ctx.clock.now()).toISOString();
