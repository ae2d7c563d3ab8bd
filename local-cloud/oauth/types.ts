import type { KeyObject } from 'node:crypto';

export const standInProviders = ['google', 'facebook', 'x', 'github', 'apple'] as const;

export type StandInProvider = (typeof standInProviders)[number];

export interface SecretClient {
  readonly id: string;
  readonly secret: string;
}

/** The clients the stand-ins know, one for each provider. */
export interface StandInClients {
  readonly google: SecretClient;
  readonly facebook: SecretClient;
  readonly x: SecretClient;
  readonly github: SecretClient;
  readonly apple: {
    readonly id: string;
    readonly teamId: string;
    readonly keyId: string;
    readonly publicKey: KeyObject;
  };
}

/** Who logs in, as chosen or typed on the consent page. */
export interface TestPerson {
  readonly subject: string;
  readonly name: string;
  readonly username: string;
  /** Empty: the provider has none, or the person did not share it. */
  readonly email: string;
  readonly emailVerified: boolean;
}

/** An authorization request that waits for the person's decision. */
export interface AuthorizationRequest {
  readonly provider: StandInProvider;
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string | undefined;
  readonly codeChallenge: string;
  readonly scope: readonly string[];
}

/** What a person agreed to, under a code or an access token. */
export interface Consent {
  readonly request: AuthorizationRequest;
  readonly person: TestPerson;
  /** How to misbehave afterwards; only with test controls. */
  readonly fault: string;
  readonly atMs: number;
}
