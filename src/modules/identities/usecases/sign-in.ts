import { z } from 'zod';
import type { RequestContext } from '../../../context.ts';
import { insertAudit } from '../../../db/audit.ts';
import { type ProviderName, providerNames } from '../../../integrations/oauth/index.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { open, seal } from '../../../shared/crypto/envelope.ts';
import { randomBytes } from '../../../shared/crypto.ts';
import { fromHex, fromUtf8, hex, utf8 } from '../../../shared/encoding.ts';
import {
  accountDeactivated,
  accountSuspended,
  admit,
  assertMayRegister,
  isoOf,
  type LoginResult,
} from '../../auth/index.ts';
import { isReservedUsername, usernameReserved } from '../../users/index.ts';
import { findRegistration, keepForRegistration } from '../flows.repository.ts';
import { emailRequired, handoffInvalid, loginToLink, registrationInvalid } from '../identities.errors.ts';
import { displayNameOf, federated, registrationSeconds, usernameSuggestions } from '../identities.policy.ts';
import {
  admissionByIdentity,
  admissionByRegistration,
  findIdentity,
  firstFreeUsername,
  isVerifiedAddress,
  type KnownIdentity,
  namingConflicts,
} from '../identities.repository.ts';
import { newSecret, profilePlace, refreshTokenPlace, secretHash } from './flow-secrets.ts';
import { type Handoff, type Returned, redeemHandoff } from './redeem-handoff.ts';

export interface RegistrationRequired {
  readonly kind: 'registration_required';
  readonly provider: ProviderName;
  readonly registrationToken: string;
  readonly expiresInSeconds: number;
  readonly suggestedUsername: string | undefined;
  readonly displayName: string | undefined;
  readonly email: string | undefined;
}

/**
 * Finishes a login by a provider. A linked identity opens a session or asks for the second factor; an unknown one may register.
 * Nobody is ever logged in, or linked, because of an e-mail address.
 * @throws identities.handoff_invalid, identities.login_to_link, auth.account_suspended, auth.account_deactivated, and what
 * `redeemHandoff` throws.
 */
export async function completeSignIn(
  ctx: RequestContext,
  handoff: Handoff,
): Promise<LoginResult | RegistrationRequired> {
  const returned = await redeemHandoff(ctx, handoff, 'sign_in');
  const { provider, proven } = returned;
  const known = await findIdentity(ctx.databases.primary, provider, proven.profile.subject);
  return known === undefined ? offerRegistration(ctx, returned) : signIn(ctx, returned, known);
}

async function signIn(
  ctx: RequestContext,
  { provider, proven }: Returned,
  known: KnownIdentity,
): Promise<LoginResult> {
  const { identityId, userId, status, factors } = known;
  if (status !== 'active') {
    recordFailure(ctx, provider, userId, status);
    throw status === 'suspended' ? accountSuspended() : accountDeactivated();
  }
  const admission = admissionByIdentity(
    { identityId, userId, provider },
    {
      owed: factors.length > 0,
      sealedRefreshToken: await sealRefreshToken(ctx, identityId, proven.refreshToken),
      now: isoOf(Math.floor(ctx.clock.now() / 1000)),
    },
  );
  const result = await admit(ctx, admission, { factors, method: federated });
  if (result === undefined) {
    recordFailure(ctx, provider, userId, 'changed_meanwhile');
    throw handoffInvalid();
  }
  return result;
}

const pendingSchema = z.object({
  provider: z.enum(providerNames),
  subject: z.string(),
  email: z.string().optional(),
  emailVerified: z.boolean(),
  name: z.string().optional(),
  refreshToken: z.string().optional(),
});

async function offerRegistration(
  ctx: RequestContext,
  { flowId, provider, proven }: Returned,
): Promise<RegistrationRequired> {
  const { primary } = ctx.databases;
  const { profile, refreshToken } = proven;
  if (
    profile.email !== undefined &&
    profile.emailVerified &&
    (await isVerifiedAddress(primary, profile.email))
  )
    throw loginToLink();
  const pending: z.infer<typeof pendingSchema> = {
    provider,
    subject: profile.subject,
    email: profile.email,
    emailVerified: profile.emailVerified,
    name: displayNameOf(profile.name),
    refreshToken,
  };
  const registrationToken = newSecret();
  const expiresAt = isoOf(Math.floor(ctx.clock.now() / 1000) + registrationSeconds);
  await keepForRegistration(primary, flowId, {
    hash: await secretHash(registrationToken),
    sealedProfile: hex(
      await seal(ctx.config.encryption, utf8(JSON.stringify(pending)), profilePlace(flowId)),
    ),
    expiresAt,
  });
  return {
    kind: 'registration_required',
    provider,
    registrationToken,
    expiresInSeconds: registrationSeconds,
    suggestedUsername: await firstFreeUsername(primary, usernameSuggestions(profile, randomBytes(4))),
    displayName: pending.name,
    email: profile.email,
  };
}

export interface SocialRegistration {
  readonly registrationToken: string;
  readonly username: string;
  readonly email: string | undefined;
  readonly displayName: string | undefined;
  readonly challengeResponse: string | undefined;
}

/**
 * Makes the account of somebody who came from a provider, without a password, and logs it in. Its address counts as verified
 * only if the provider answers for it; otherwise a mail asks to verify it.
 * @throws identities.registration_invalid, identities.email_required, identities.login_to_link, identities.linked_elsewhere,
 * users.username_taken, users.username_reserved, auth.challenge_required, auth.challenge_failed, service.unavailable.
 */
export async function registerByProvider(
  ctx: RequestContext,
  input: SocialRegistration,
): Promise<LoginResult> {
  if (isReservedUsername(input.username)) throw usernameReserved();
  const now = isoOf(Math.floor(ctx.clock.now() / 1000));
  const found = await findRegistration(ctx.databases.primary, await secretHash(input.registrationToken), now);
  if (found === undefined) throw registrationInvalid();
  const { flowId, provider, sealedProfile } = found;
  const bytes = await open(ctx.config.encryption, fromHex(sealedProfile), profilePlace(flowId));
  if (bytes === undefined) throw registrationInvalid();
  const pending = pendingSchema.parse(JSON.parse(fromUtf8(bytes)));
  const email = input.email ?? pending.email;
  if (email === undefined) throw emailRequired();
  const verified = pending.emailVerified && email.toLowerCase() === pending.email?.toLowerCase();
  await assertMayRegister(ctx, input.challengeResponse);
  const identityId = ctx.ids.next();
  const { admission, eventIds } = admissionByRegistration(
    ctx,
    flowId,
    {
      id: ctx.ids.next(),
      username: input.username,
      email,
      passwordHash: null,
      displayName: input.displayName ?? pending.name ?? input.username,
      emailVerifiedAt: verified ? now : undefined,
    },
    {
      id: identityId,
      provider,
      subject: pending.subject,
      email: pending.email,
      sealedRefreshToken: await sealRefreshToken(ctx, identityId, pending.refreshToken),
      now,
    },
  );
  const result = await namingConflicts(admit(ctx, admission, { factors: [], method: federated }));
  if (result === undefined) throw registrationInvalid();
  publishAfterResponse(ctx, eventIds);
  return result;
}

/** A provider's refresh token as it is stored: sealed for the row of its identity, in hex. */
export const sealRefreshToken = async (
  ctx: Pick<RequestContext, 'config'>,
  identityId: string,
  refreshToken: string | undefined,
): Promise<string | undefined> =>
  refreshToken === undefined
    ? undefined
    : hex(await seal(ctx.config.encryption, utf8(refreshToken), refreshTokenPlace(identityId)));

function recordFailure(ctx: RequestContext, provider: ProviderName, userId: string, reason: string): void {
  ctx.log.log('warn', 'auth.login_failed', { reason, user_id: userId, provider });
  ctx.background(() =>
    insertAudit(ctx.databases.primary, ctx, {
      action: 'auth.login',
      outcome: 'failure',
      detail: { reason, provider },
      target: { kind: 'user', id: userId },
    }).execute(),
  );
}
