export { authRoutes, wellKnownRoutes } from './auth.routes.ts';
export { refreshTokens, sessions } from './auth.table.ts';
export { type AccessGrant, createAccessTokens, signAccessToken } from './usecases/access-tokens.ts';
export { hashPassword, passwordHashesStarted } from './usecases/hash-password.ts';
