export { authHandlers } from './auth.handlers.ts';
export { authRoutes, sessionsRoutes, wellKnownRoutes } from './auth.routes.ts';
export { refreshTokens, sessions } from './auth.table.ts';
export { loginNetworks, mfaChallenges } from './challenges.table.ts';
export { createSessionStanding } from './reauthentication.repository.ts';
export { passwordRoutes, reauthenticationRoutes } from './reauthentication.routes.ts';
export { type AccessGrant, createAccessTokens, signAccessToken } from './usecases/access-tokens.ts';
export { hashPassword, passwordHashesStarted } from './usecases/hash-password.ts';
export { endAllAccess } from './usecases/logout.ts';
