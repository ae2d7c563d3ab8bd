import { z } from 'zod';
import type { RequestContext } from '../../../context.ts';
import {
  type ProvenIdentity,
  ProviderError,
  type ProviderName,
  redeemCode,
} from '../../../integrations/oauth/index.ts';
import { open } from '../../../shared/crypto/envelope.ts';
import { fromHex, fromUtf8 } from '../../../shared/encoding.ts';
import { isoOf } from '../../auth/index.ts';
import { type FlowOwner, type FlowPurpose, takeHandoff } from '../flows.repository.ts';
import {
  codeRefused,
  handoffInvalid,
  providerAnswerInvalid,
  providerUnavailable,
} from '../identities.errors.ts';
import { challengeOf, flowSecretsOf, grantPlace, secretHash } from './flow-secrets.ts';
import { requireClient } from './start-flow.ts';

export interface Handoff {
  readonly handoff: string;
  readonly codeVerifier: string;
}

export interface Returned {
  readonly flowId: string;
  readonly provider: ProviderName;
  readonly proven: ProvenIdentity;
}

const grantSchema = z.object({ state: z.string(), code: z.string(), user: z.string().optional() });

/**
 * Uses a handoff code up, for the client that began the flow, and asks the provider who came back. Whatever goes wrong after
 * that, the flow is over and nothing else was written.
 * @throws identities.handoff_invalid, identities.code_refused, identities.provider_unavailable,
 * identities.provider_answer_invalid.
 */
export async function redeemHandoff(
  ctx: RequestContext,
  { handoff, codeVerifier }: Handoff,
  purpose: FlowPurpose,
  owner?: FlowOwner,
): Promise<Returned> {
  const nowMs = ctx.clock.now();
  const taken = await takeHandoff(
    ctx.databases.primary,
    { hash: await secretHash(handoff), purpose, clientChallenge: await challengeOf(codeVerifier), owner },
    isoOf(Math.floor(nowMs / 1000)),
  );
  if (taken === undefined) throw handoffInvalid();
  const bytes = await open(ctx.config.encryption, fromHex(taken.sealedGrant), grantPlace(taken.id));
  if (bytes === undefined) throw handoffInvalid();
  const { state, code, user } = grantSchema.parse(JSON.parse(fromUtf8(bytes)));
  const client = requireClient(ctx, taken.provider);
  const secrets = await flowSecretsOf(ctx, state);
  try {
    const proven = await redeemCode(ctx.config.oauth, client, secrets, { code, user }, nowMs);
    return { flowId: taken.id, provider: taken.provider, proven };
  } catch (error) {
    throw problemOf(ctx, error);
  }
}

function problemOf(ctx: RequestContext, error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error;
  const { provider, reason } = error;
  ctx.log.log('warn', 'identities.provider_failed', { provider, reason });
  if (reason === 'unreachable') return providerUnavailable({ cause: error, headers: { 'retry-after': '5' } });
  return reason === 'code_refused' ? codeRefused({ cause: error }) : providerAnswerInvalid({ cause: error });
}
