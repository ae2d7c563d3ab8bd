import type { RequestContext } from '../../../context.ts';
import { requireSession } from '../../../http/viewer.ts';
import {
  type ProviderName,
  providerClientOf,
  readSignedRequest,
  revokeToken,
} from '../../../integrations/oauth/index.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { open } from '../../../shared/crypto/envelope.ts';
import { hmacSha256, randomBytes, secretsEqual } from '../../../shared/crypto.ts';
import { base64Url, fromHex, fromUtf8 } from '../../../shared/encoding.ts';
import { beginReauthentication, completeStepUp, isoOf, type SteppedUp } from '../../auth/index.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import type { FlowPurpose } from '../flows.repository.ts';
import {
  codeRefused,
  handoffInvalid,
  identityNotFound,
  identityTaken,
  lastSignIn,
  noFreshLogin,
  otherIdentity,
  providerAlreadyLinked,
  providerNotConfigured,
  signedRequestInvalid,
  strongerMethod,
} from '../identities.errors.ts';
import { federated, freshLoginSeconds } from '../identities.policy.ts';
import {
  deleteIdentityOf,
  findHeldTokens,
  findIdentity,
  findLinkConflict,
  forgetHeldToken,
  type HeldToken,
  type IdentityRow,
  linkIdentity,
  listIdentities,
  unlinkIdentity,
} from '../identities.repository.ts';
import { refreshTokenPlace } from './flow-secrets.ts';
import { type Handoff, redeemHandoff } from './redeem-handoff.ts';
import { sealRefreshToken } from './sign-in.ts';
import { type FlowStart, startFlow } from './start-flow.ts';

/** Begins a trip to a provider for the caller's session. */
export function startOwnFlow(
  ctx: RequestContext,
  provider: ProviderName,
  purpose: Exclude<FlowPurpose, 'sign_in'>,
  start: FlowStart,
) {
  const { userId, sessionId } = requireSession(ctx);
  return startFlow(ctx, provider, purpose, start, { userId, sessionId });
}

/** The logins of providers linked to the caller's account. */
export const listMyIdentities = (ctx: RequestContext): Promise<IdentityRow[]> =>
  listIdentities(ctx.databases.primary, requireSession(ctx).userId);

/**
 * Links who came back from a provider to the caller's account. Linking what is linked already changes nothing.
 * @throws identities.linked_elsewhere, identities.provider_already_linked, and what `redeemHandoff` throws.
 */
export async function completeLink(ctx: RequestContext, handoff: Handoff): Promise<IdentityRow> {
  const { userId, sessionId } = requireSession(ctx);
  const { provider, proven } = await redeemHandoff(ctx, handoff, 'link', { userId, sessionId });
  const { subject, email } = proven.profile;
  const id = ctx.ids.next();
  const notice = newSecurityNotice(ctx, { userId, notice: 'provider_linked', detail: { provider } });
  const identity = {
    id,
    provider,
    subject,
    email,
    sealedRefreshToken: await sealRefreshToken(ctx, id, proven.refreshToken),
    now: isoOf(Math.floor(ctx.clock.now() / 1000)),
  };
  const linked = await linkIdentity(ctx, userId, identity, notice);
  if (linked !== undefined) {
    publishAfterResponse(ctx, [notice.id]);
    return linked;
  }
  const conflict = await findLinkConflict(ctx.databases.primary, provider, subject);
  if (conflict === undefined) throw providerAlreadyLinked();
  if (conflict.userId !== userId) throw identityTaken();
  return conflict;
}

/**
 * Unlinks a login of a provider.
 * @throws identities.not_found, identities.last_sign_in.
 */
export async function unlinkMyIdentity(ctx: RequestContext, identityId: string): Promise<void> {
  const { userId } = requireSession(ctx);
  const notice = newSecurityNotice(ctx, { userId, notice: 'provider_unlinked', detail: { provider: '' } });
  const row = await unlinkIdentity(ctx, userId, identityId, notice);
  if (row === undefined) throw identityNotFound();
  if (!row.unlinked) throw lastSignIn();
  publishAfterResponse(ctx, [notice.id]);
  const { provider, sealedRefreshToken } = row;
  if (sealedRefreshToken !== null)
    ctx.background(() => revokeHeld(ctx, { identityId, provider, sealedRefreshToken }));
}

/**
 * Authenticates the caller again by a fresh trip to a linked provider. Only for accounts that have nothing stronger: neither a
 * password nor a second factor.
 * @throws identities.stronger_method_required, identities.other_identity, identities.no_fresh_login, auth.too_many_failures, and what `redeemHandoff` throws.
 */
export async function stepUpByProvider(ctx: RequestContext, handoff: Handoff): Promise<SteppedUp> {
  const { actor, account, attempt, nowSeconds } = await beginReauthentication(ctx);
  if (account.passwordHash !== null || account.secondFactor) {
    attempt.forgive();
    throw strongerMethod();
  }
  const { userId, sessionId } = actor;
  const { provider, proven } = await redeemHandoff(ctx, handoff, 'step_up', { userId, sessionId });
  const known = await findIdentity(ctx.databases.primary, provider, proven.profile.subject);
  if (known?.userId !== userId) throw otherIdentity();
  if (proven.authTime === undefined) throw noFreshLogin();
  if (nowSeconds - proven.authTime > freshLoginSeconds) throw codeRefused();
  const shown = { actor, nowSeconds, attempt, checkedHash: undefined, proof: undefined, amr: [federated] };
  const access = await completeStepUp(ctx, shown);
  if (access === undefined) throw handoffInvalid();
  return access;
}

/**
 * Takes back what tokens of providers are kept for a user (Apple requires it when an account is deleted). Repeating it is safe.
 * @throws ProviderError when a provider did not take one; the others were still taken back.
 */
export async function revokeProviderTokens(
  ctx: Pick<RequestContext, 'config' | 'databases' | 'clock' | 'log'>,
  userId: string,
): Promise<void> {
  const failures: unknown[] = [];
  for (const held of await findHeldTokens(ctx.databases.primary, userId))
    try {
      await revokeHeld(ctx, held);
      await forgetHeldToken(ctx.databases.primary, held);
    } catch (error) {
      failures.push(error);
    }
  if (failures.length > 0) throw failures[0];
}

async function revokeHeld(
  ctx: Pick<RequestContext, 'config' | 'clock' | 'log'>,
  { identityId, provider, sealedRefreshToken }: HeldToken,
): Promise<void> {
  const client = providerClientOf(ctx.config.oauth, ctx.config.auth.issuer, provider);
  const bytes = await open(ctx.config.encryption, fromHex(sealedRefreshToken), refreshTokenPlace(identityId));
  if (client === undefined || bytes === undefined) {
    const reason = client === undefined ? 'not_configured' : 'unreadable';
    ctx.log.log('error', 'identities.token_not_revoked', { provider, reason });
    return;
  }
  await revokeToken(ctx.config.oauth, client, fromUtf8(bytes), ctx.clock.now());
}

/**
 * Deletes what we know of a person of Facebook, as Facebook tells us they want.
 * @returns the code under which they may ask whether it was done.
 * @throws identities.provider_not_configured, identities.signed_request_invalid.
 */
export async function deleteFacebookData(ctx: RequestContext, signedRequest: string): Promise<string> {
  const { facebookClientId, facebookClientSecret } = ctx.config.oauth;
  if (facebookClientId === '') throw providerNotConfigured();
  const nowSeconds = Math.floor(ctx.clock.now() / 1000);
  const subject = await readSignedRequest(signedRequest, facebookClientSecret, nowSeconds);
  if (subject === undefined) throw signedRequestInvalid();
  const deleted = await deleteIdentityOf(ctx, 'facebook', subject, (userId) =>
    newSecurityNotice(ctx, { userId, notice: 'provider_unlinked', detail: { provider: 'facebook' } }),
  );
  if (deleted !== undefined) publishAfterResponse(ctx, [deleted.id]);
  const id = base64Url(randomBytes(12));
  return `${id}${await sealOfDeletion(ctx, id)}`;
}

/** Whether a code is one `deleteFacebookData` gave out: it is given out after the deletion, so that it proves it. */
export async function isDeletionCode(ctx: RequestContext, code: string): Promise<boolean> {
  if (!/^[A-Za-z0-9_-]{32}$/.test(code)) return false;
  return secretsEqual(code.slice(16), await sealOfDeletion(ctx, code.slice(0, 16)));
}

const sealOfDeletion = async (ctx: RequestContext, id: string): Promise<string> =>
  base64Url(await hmacSha256(ctx.config.http.cursorSecret, `oauth\ndeletion\n${id}`)).slice(0, 16);
