export { authHandlers } from './auth.handlers.ts';
export { authRoutes, sessionsRoutes, wellKnownRoutes } from './auth.routes.ts';
export { refreshTokens, sessions } from './auth.table.ts';
export { type AccessGrant, createAccessTokens, signAccessToken } from './usecases/access-tokens.ts';
export { hashPassword, passwordHashesStarted } from './usecases/hash-password.ts';
export { endAllAccess } from './usecases/logout.ts';
