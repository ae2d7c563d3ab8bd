import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import {
  type ChallengeVerdict,
  isChallengeServiceUp,
  verifyChallenge,
} from '../../../integrations/challenge/index.ts';
import { challengeFailed, challengeRequired } from '../auth.errors.ts';
import { challengeAfter, challengedCounts, loginCounts, type ThrottleName } from '../policy/throttles.ts';
import { loginsLookWrong } from './anomaly.ts';
import { type ChargedAttempt, chargeAttempt, judged, take, throttled, tryCharge } from './throttle.ts';

type ChallengeAction = 'login' | 'register';

export interface PasswordAttempt {
  /** See `nameSubject`. */
  readonly account: string;
  readonly network: string;
  /** Whether the account was logged into from this network before. */
  readonly knownNetwork: boolean;
  readonly challengeResponse: string | undefined;
}

// From a network that fails often at one account there is no way in but waiting.
const openedByChallenge: ReadonlySet<ThrottleName> = new Set(['loginAccount', 'loginNetwork']);

/**
 * Charges an attempt at a password, and asks for a challenge after a few failures, or while logins fail unusually often. A solved
 * challenge also opens counts of their own where those of everybody are full. While Turnstile does not answer, nobody is asked
 * for one: the counts without challenges then hold alone.
 * @throws auth.challenge_required, auth.challenge_failed, auth.too_many_failures, service.unavailable.
 */
export async function chargePasswordAttempt(
  ctx: RequestContext,
  { account, network, knownNetwork, challengeResponse }: PasswordAttempt,
): Promise<ChargedAttempt> {
  const counts = loginCounts(account, network, knownNetwork);
  if (ctx.config.challenge.secret === '') return chargeAttempt(ctx, counts);
  const outcome = await tryCharge(ctx, counts);
  if ('full' in outcome) {
    if (!openedByChallenge.has(outcome.full)) throw throttled(ctx, outcome);
    const verdict = await verdictOf(ctx, 'login', challengeResponse);
    if (verdict === 'unavailable') throw throttled(ctx, outcome);
    if (verdict !== 'passed') throw refused(ctx, 'login', verdict);
    return chargeAttempt(ctx, challengedCounts(account, network));
  }
  const { attempt, failures } = outcome;
  const often = [...failures].some(([throttle, count]) => count >= (challengeAfter[throttle] ?? count + 1));
  const verdict = await judged(attempt, async () =>
    often || (!knownNetwork && (await loginsLookWrong(ctx)))
      ? verdictOf(ctx, 'login', challengeResponse)
      : 'passed',
  );
  if (verdict === 'passed' || verdict === 'unavailable') return attempt;
  attempt.forgive();
  throw refused(ctx, 'login', verdict);
}

/**
 * Asks for a challenge before an account is made, where the configuration says so or while logins fail unusually often. Unlike
 * logins, registrations wait for Turnstile when it does not answer.
 * @throws auth.challenge_required, auth.challenge_failed, service.unavailable.
 */
export async function assertMayRegister(ctx: RequestContext, response: string | undefined): Promise<void> {
  const { secret, atRegistration } = ctx.config.challenge;
  if (secret === '' || !ctx.config.http.rateLimitsEnabled) return;
  if (!atRegistration && !(await loginsLookWrong(ctx))) return;
  const verdict = await verdictOf(ctx, 'register', response);
  if (verdict === 'unavailable') throw unavailable({ headers: { 'retry-after': '30' } });
  if (verdict !== 'passed') throw refused(ctx, 'register', verdict);
}

async function verdictOf(
  ctx: RequestContext,
  action: ChallengeAction,
  response: string | undefined,
): Promise<ChallengeVerdict | 'missing'> {
  const verdict =
    response === undefined
      ? (await isChallengeServiceUp(ctx.config))
        ? 'missing'
        : 'unavailable'
      : await verifyChallenge(ctx.config, { response, remoteIp: ctx.ip, action }, ctx.clock.now());
  if (verdict === 'unavailable') ctx.log.log('error', 'auth.challenge_unavailable', { operation: action });
  if (verdict !== 'passed' || response === undefined) return verdict;
  // Turnstile takes each answer once; so do we, whatever it says.
  const spent = await take(ctx, { throttle: 'challengeAnswer', subject: response });
  if (spent === undefined) throw unavailable({ headers: { 'retry-after': '5' } });
  return spent.allowed ? 'passed' : 'failed';
}

function refused(ctx: RequestContext, action: ChallengeAction, verdict: 'missing' | 'failed'): Error {
  ctx.log.log('info', 'auth.challenge_asked', { operation: action, reason: verdict });
  const extensions = { challenge: { provider: 'turnstile', site_key: ctx.config.challenge.siteKey, action } };
  return verdict === 'missing' ? challengeRequired({ extensions }) : challengeFailed({ extensions });
}
