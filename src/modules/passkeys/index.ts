export { passkeysRoutes } from './passkeys.routes.ts';
export { passkeys, usedPasskeyChallenges } from './passkeys.table.ts';
export { passkeySignInRoutes } from './sign-in.routes.ts';
