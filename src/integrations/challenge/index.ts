export {
  type ChallengeAnswer,
  type ChallengeVerdict,
  isChallengeServiceUp,
  verifyChallenge,
} from './turnstile.ts';
