export { accountRecoveryRoutes, emailRoutes } from './account-recovery.routes.ts';
export { accountTokens } from './account-tokens.table.ts';
export { accountDeactivated, accountSuspended } from './auth.errors.ts';
export type { EndReason } from './auth.events.ts';
export { authHandlers } from './auth.handlers.ts';
export {
  type Admission,
  insertAdmittedSession,
  type NewSession,
  type OpenedSession,
} from './auth.repository.ts';
export { authRoutes, sessionsRoutes, wellKnownRoutes } from './auth.routes.ts';
export { challengeResponseSchema, signedInSchema } from './auth.schemas.ts';
export { refreshTokens, sessions } from './auth.table.ts';
export { handOverAccess, handOverSignedIn, presentMfaRequired, type TokenPair } from './auth.views.ts';
export { loginNetworks, mfaChallenges } from './challenges.table.ts';
export { askVerificationCtes } from './mail-tokens.repository.ts';
export { deviceNameOf } from './policy/device-name.ts';
export { loginCounts } from './policy/throttles.ts';
export { reactivationRoutes } from './reactivation.routes.ts';
export { reactivatedSchema } from './reactivation.schemas.ts';
export { createSessionStanding } from './reauthentication.repository.ts';
export { passwordRoutes, reauthenticationRoutes } from './reauthentication.routes.ts';
export { accessTokenSchema, mfaRequiredSchema } from './reauthentication.schemas.ts';
export { type EndedAccess, insertAccessEnd, lockUser, type WriteContext } from './sessions.repository.ts';
export {
  type AccessGrant,
  createAccessTokens,
  keyringOf,
  signAccessToken,
} from './usecases/access-tokens.ts';
export { admit } from './usecases/admit.ts';
export { announceEnd } from './usecases/announce-end.ts';
export { assertMayRegister } from './usecases/challenge.ts';
export { hashPassword, passwordHashesStarted } from './usecases/hash-password.ts';
export type { LoginResult } from './usecases/login.ts';
export { endAllAccess } from './usecases/logout.ts';
export { announceSession, isoOf, prepareSession } from './usecases/open-session.ts';
export { completeReactivation } from './usecases/reactivate.ts';
export { completeLogin, readMfaToken, takeOwedLogin } from './usecases/second-factor.ts';
export { beginReauthentication, completeStepUp, type SteppedUp } from './usecases/step-up.ts';
export { type ChargedAttempt, callerNetwork, chargeAttempt, judged } from './usecases/throttle.ts';
