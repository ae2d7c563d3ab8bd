import type { RequestContext } from '../../../context.ts';
import { issuedBy, type ProviderName } from '../../../integrations/oauth/index.ts';
import { seal } from '../../../shared/crypto/envelope.ts';
import { secretsEqual } from '../../../shared/crypto.ts';
import { hex, utf8 } from '../../../shared/encoding.ts';
import { isoOf } from '../../auth/index.ts';
import { findOpenFlow, markReturned } from '../flows.repository.ts';
import { flowInvalid } from '../identities.errors.ts';
import { handoffSeconds } from '../identities.policy.ts';
import {
  browserCookieOf,
  flowSecretsOf,
  grantPlace,
  isSecret,
  newSecret,
  secretHash,
} from './flow-secrets.ts';
import { requireClient } from './start-flow.ts';

/** What a provider sent the browser back with. Nothing in it is trusted. */
export interface CallbackAnswer {
  readonly state?: string | undefined;
  readonly code?: string | undefined;
  readonly error?: string | undefined;
  readonly iss?: string | undefined;
  /** JSON of Apple, the first time only. */
  readonly user?: string | undefined;
}

/** How it came: in the address, or in a form that the browser posted. */
export type CallbackMode = 'query' | 'form_post';

/**
 * Takes a browser back that came from a provider. It must be the one that set out, with a `state` that was not used, at the
 * address of the provider it set out to, in the way that provider answers. It is sent on to the client with a handoff code in the fragment, which no server
 * sees; the code is redeemed once the client has shown itself.
 * @throws identities.provider_not_configured, identities.flow_invalid.
 */
export async function takeCallback(
  ctx: RequestContext,
  provider: ProviderName,
  answer: CallbackAnswer,
  mode: CallbackMode,
  cookieOf: (name: string) => string | undefined,
): Promise<{ readonly location: string; readonly cookieName: string; readonly secure: boolean }> {
  const client = requireClient(ctx, provider);
  const { state = '', code, error } = answer;
  if ((mode === 'form_post') !== (client.provider.formPost === true))
    throw refused(ctx, provider, 'other_mode');
  if (!isSecret(state)) throw refused(ctx, provider, 'no_state');
  const stateHash = await secretHash(state);
  const cookie = browserCookieOf(ctx, stateHash);
  const { browser } = await flowSecretsOf(ctx, state);
  if (!(await secretsEqual(cookieOf(cookie.name) ?? '', browser)))
    throw refused(ctx, provider, 'other_browser');
  const nowSeconds = Math.floor(ctx.clock.now() / 1000);
  const now = isoOf(nowSeconds);
  const { primary } = ctx.databases;
  const flow = await findOpenFlow(primary, { provider, stateHash }, now);
  if (flow === undefined) throw refused(ctx, provider, 'unknown_state');
  const back = (fragment: Record<string, string>) => ({
    location: `${flow.returnTo}#${new URLSearchParams(fragment)}`,
    cookieName: cookie.name,
    secure: cookie.secure,
  });
  if (!issuedBy(client, answer.iss)) {
    await markReturned(primary, flow.id, undefined, now);
    throw refused(ctx, provider, 'other_issuer');
  }
  if (code === undefined || error !== undefined) {
    if (!(await markReturned(primary, flow.id, undefined, now))) throw refused(ctx, provider, 'used_state');
    const denied = error === 'access_denied' || error === 'user_cancelled_authorize';
    return back({ error: denied ? 'access_denied' : 'provider_error' });
  }
  const handoff = newSecret();
  const grant = utf8(JSON.stringify({ state, code, user: answer.user }));
  const returned = {
    handoffHash: await secretHash(handoff),
    handoffExpiresAt: isoOf(
      nowSeconds + Math.min(handoffSeconds, client.provider.codeSeconds ?? handoffSeconds),
    ),
    sealedGrant: hex(await seal(ctx.config.encryption, grant, grantPlace(flow.id))),
  };
  if (!(await markReturned(primary, flow.id, returned, now))) throw refused(ctx, provider, 'used_state');
  return back({ handoff });
}

function refused(ctx: RequestContext, provider: ProviderName, reason: string): Error {
  ctx.log.log('warn', 'identities.callback_refused', { provider, reason });
  return flowInvalid();
}
