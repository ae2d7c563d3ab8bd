import type { RequestContext } from '../../../context.ts';
import {
  authorizationUrl,
  type ProviderClient,
  type ProviderName,
  providerClientOf,
} from '../../../integrations/oauth/index.ts';
import { isoOf } from '../../auth/index.ts';
import { type FlowOwner, type FlowPurpose, findOpenFlow, insertFlow } from '../flows.repository.ts';
import { flowInvalid, noFreshLogin, providerNotConfigured, returnUrlRefused } from '../identities.errors.ts';
import { flowSeconds } from '../identities.policy.ts';
import { browserCookieOf, flowSecretsOf, isSecret, newSecret, secretHash } from './flow-secrets.ts';

export interface FlowStart {
  readonly returnTo: string;
  /** S256 of a verifier only the client knows. */
  readonly codeChallenge: string;
}

/**
 * The client of a provider.
 * @throws identities.provider_not_configured.
 */
export function requireClient(ctx: Pick<RequestContext, 'config'>, provider: ProviderName): ProviderClient {
  const client = providerClientOf(ctx.config.oauth, ctx.config.auth.issuer, provider);
  if (client === undefined) throw providerNotConfigured();
  return client;
}

/**
 * Begins a trip to a provider: the address is ours, binds the browser that opens it, and sends it on to the provider.
 * @throws identities.provider_not_configured, identities.return_url_refused, identities.no_fresh_login.
 */
export async function startFlow(
  ctx: RequestContext,
  provider: ProviderName,
  purpose: FlowPurpose,
  { returnTo, codeChallenge }: FlowStart,
  owner?: FlowOwner,
): Promise<{ readonly authorizationUrl: string; readonly expiresInSeconds: number }> {
  const client = requireClient(ctx, provider);
  if (purpose === 'step_up' && client.provider.reauthenticate === undefined) throw noFreshLogin();
  if (!ctx.config.oauth.returnUrls.includes(returnTo)) throw returnUrlRefused();
  const state = newSecret();
  const nowSeconds = Math.floor(ctx.clock.now() / 1000);
  await insertFlow(ctx.databases.primary, {
    id: ctx.ids.next(),
    provider,
    purpose,
    stateHash: await secretHash(state),
    clientChallenge: codeChallenge,
    returnTo,
    owner,
    now: isoOf(nowSeconds),
    expiresAt: isoOf(nowSeconds + flowSeconds),
  });
  const base = ctx.config.auth.issuer.replace(/\/+$/, '');
  return {
    authorizationUrl: `${base}/v1/auth/oauth/${provider}/authorize?state=${state}`,
    expiresInSeconds: flowSeconds,
  };
}

export interface Departure {
  readonly location: string;
  readonly cookie: { readonly name: string; readonly value: string; readonly secure: boolean };
}

/**
 * Sends a browser on to the provider, with a cookie by which it is known when it comes back.
 * @throws identities.provider_not_configured, identities.flow_invalid.
 */
export async function departToProvider(
  ctx: RequestContext,
  provider: ProviderName,
  state: string,
): Promise<Departure> {
  const client = requireClient(ctx, provider);
  if (!isSecret(state)) throw flowInvalid();
  const stateHash = await secretHash(state);
  const now = isoOf(Math.floor(ctx.clock.now() / 1000));
  const flow = await findOpenFlow(ctx.databases.primary, { provider, stateHash }, now);
  if (flow === undefined) throw flowInvalid();
  const secrets = await flowSecretsOf(ctx, state);
  return {
    location: await authorizationUrl(client, secrets, { reauthenticate: flow.purpose === 'step_up' }),
    cookie: { ...browserCookieOf(ctx, stateHash), value: secrets.browser },
  };
}
