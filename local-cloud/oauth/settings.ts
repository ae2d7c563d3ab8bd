import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { StandInClients } from './types.ts';

/** The clients of the stand-ins, and the Worker's settings that name the same ones. `appleKey` is a PKCS #8 PEM. */
export function oauthSettings(made: { readonly secret: string; readonly appleKey: string }): {
  readonly clients: StandInClients;
  readonly settings: Readonly<Record<string, string>>;
} {
  const { secret } = made;
  const id = (provider: string): string => `local-${provider}-client`;
  const apple = { id: id('apple'), teamId: 'LOCALTEAM1', keyId: 'LOCALKEY01' };
  return {
    clients: {
      google: { id: id('google'), secret },
      facebook: { id: id('facebook'), secret },
      x: { id: id('x'), secret },
      github: { id: id('github'), secret },
      apple: { ...apple, publicKey: createPublicKey(createPrivateKey(made.appleKey)) },
    },
    settings: {
      GOOGLE_CLIENT_ID: id('google'),
      GOOGLE_CLIENT_SECRET: secret,
      FACEBOOK_APP_ID: id('facebook'),
      FACEBOOK_APP_SECRET: secret,
      X_CLIENT_ID: id('x'),
      X_CLIENT_SECRET: secret,
      GITHUB_CLIENT_ID: id('github'),
      GITHUB_CLIENT_SECRET: secret,
      APPLE_CLIENT_ID: apple.id,
      APPLE_TEAM_ID: apple.teamId,
      APPLE_KEY_ID: apple.keyId,
      // One line, as `.dev.vars` takes it.
      APPLE_PRIVATE_KEY: made.appleKey.trim().replaceAll('\n', '\\n'),
    },
  };
}
