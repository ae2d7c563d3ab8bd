import { z } from 'zod';
import type { Config } from '../../config/index.ts';

// https://developers.cloudflare.com/turnstile/get-started/server-side-validation/

/** What a client gave, and what it must be an answer to. */
export interface ChallengeAnswer {
  readonly response: string;
  readonly remoteIp: string | undefined;
  readonly action: string;
}

/** `unavailable`: nobody can say, because the service does not answer or does not know our secret. */
export type ChallengeVerdict = 'passed' | 'failed' | 'unavailable';

type ChallengeConfig = Pick<Config, 'challenge'>;

const deadlineMs = 2_000;
const attempts = 2;
/** How long a solved challenge is good, and how far clocks may differ. */
const maxAgeMs = 300_000;
const skewMs = 60_000;
const maxResponseLength = 2_048;

const verdictSchema = z.object({
  success: z.boolean(),
  'error-codes': z.array(z.string()).default([]),
  challenge_ts: z.string().optional(),
  hostname: z.string().optional(),
  action: z.string().optional(),
});

// Faults of ours or of the service, not of the answer.
const ourFaults = new Set(['missing-input-secret', 'invalid-input-secret', 'bad-request', 'internal-error']);

/**
 * Asks Turnstile about an answer, and checks what it was given for: the action, one of our hostnames, no more than five minutes
 * ago. Turnstile takes each answer once; a call whose reply was lost is repeated under the same idempotency key.
 */
export async function verifyChallenge(
  config: ChallengeConfig,
  answer: ChallengeAnswer,
  nowMs: number,
): Promise<ChallengeVerdict> {
  if (answer.response === '' || answer.response.length > maxResponseLength) return 'failed';
  const verdict = await ask(config, answer);
  // Only a service that judges no other answer either is down: else a text it stumbles over would be a way past it.
  if (verdict === undefined || (!verdict.success && isOurFault(verdict)))
    return (await isChallengeServiceUp(config)) ? 'failed' : 'unavailable';
  if (!verdict.success) return 'failed';
  const ageMs = nowMs - Date.parse(verdict.challenge_ts ?? '');
  const { hostnames } = config.challenge;
  const fresh = ageMs <= maxAgeMs && ageMs >= -skewMs;
  const ours = hostnames.length === 0 || hostnames.includes(verdict.hostname ?? '');
  return fresh && ours && verdict.action === answer.action ? 'passed' : 'failed';
}

/** Whether Turnstile answers at all: who is asked for a challenge must be able to get one. */
export async function isChallengeServiceUp(config: ChallengeConfig): Promise<boolean> {
  const verdict = await ask(config, { response: 'probe', remoteIp: undefined, action: '' });
  return verdict !== undefined && !isOurFault(verdict);
}

const isOurFault = (verdict: z.output<typeof verdictSchema>): boolean =>
  verdict['error-codes'].some((code) => ourFaults.has(code));

async function ask(
  { challenge }: ChallengeConfig,
  { response, remoteIp }: ChallengeAnswer,
): Promise<z.output<typeof verdictSchema> | undefined> {
  const body = JSON.stringify({
    secret: challenge.secret,
    response,
    ...(remoteIp === undefined ? {} : { remoteip: remoteIp }),
    idempotency_key: crypto.randomUUID(),
  });
  const signal = AbortSignal.timeout(deadlineMs);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      const reply = await fetch(challenge.verifyUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'manual',
        signal,
      });
      const text = await reply.text();
      if (reply.status < 500) return verdictSchema.safeParse(JSON.parse(text)).data;
    } catch {
      if (signal.aborted) return undefined;
    }
  }
  return undefined;
}
