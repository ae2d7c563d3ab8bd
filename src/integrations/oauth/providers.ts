import type { Config } from '../../config/index.ts';

export type OAuthConfig = Config['oauth'];

export const providerNames = ['google', 'facebook', 'x', 'github', 'apple'] as const;

export type ProviderName = (typeof providerNames)[number];

/** What differs between the providers, except how their profile is read (profile.ts). */
export interface Provider {
  readonly name: ProviderName;
  readonly title: string;
  /** `iss` of id tokens, and of authorization responses that carry one (RFC 9207). */
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly scope: string;
  /** How the client proves itself at the token endpoint. */
  readonly clientAuth: 'post' | 'basic' | 'apple';
  /** Where id tokens come from and whose keys sign them; undefined where the profile comes from an API alone. */
  readonly jwksUri?: string;
  readonly apiBase?: string;
  readonly revocationEndpoint?: string;
  /** Apple sends names and addresses only by a form that the browser posts across sites. */
  readonly formPost?: boolean;
  /** Life of its codes where it is under a minute, less a few seconds for the way. */
  readonly codeSeconds?: number;
  /** Added to the authorization request. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Asks the person to log in anew; only where the signed answer then tells when they did, since the browser may drop the wish. */
  readonly reauthenticate?: Readonly<Record<string, string>>;
}

/** What a client shows to a provider. */
export interface ProviderClient {
  readonly provider: Provider;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the provider sends the browser: an address of its own for each, so that codes cannot be mixed up. */
  readonly redirectUri: string;
}

// https://developers.google.com/identity/openid-connect/openid-connect,
// https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow,
// https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code,
// https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps,
// https://developer.apple.com/documentation/signinwithapplerestapi
const table: Readonly<Record<ProviderName, Provider>> = {
  google: {
    name: 'google',
    title: 'Google',
    issuer: 'https://accounts.google.com',
    authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    jwksUri: 'https://www.googleapis.com/oauth2/v3/certs',
    scope: 'openid email profile',
    clientAuth: 'post',
    reauthenticate: {
      prompt: 'login',
      max_age: '0',
      claims: JSON.stringify({ id_token: { auth_time: { essential: true } } }),
    },
  },
  facebook: {
    name: 'facebook',
    title: 'Facebook',
    issuer: 'https://www.facebook.com',
    authorizationEndpoint: 'https://www.facebook.com/v23.0/dialog/oauth',
    tokenEndpoint: 'https://graph.facebook.com/v23.0/oauth/access_token',
    apiBase: 'https://graph.facebook.com/v23.0',
    scope: 'public_profile,email',
    clientAuth: 'post',
  },
  x: {
    name: 'x',
    title: 'X',
    issuer: 'https://x.com',
    authorizationEndpoint: 'https://x.com/i/oauth2/authorize',
    tokenEndpoint: 'https://api.x.com/2/oauth2/token',
    apiBase: 'https://api.x.com/2',
    scope: 'users.read tweet.read users.email',
    clientAuth: 'basic',
    // Its codes live for 30 s.
    codeSeconds: 25,
  },
  github: {
    name: 'github',
    title: 'GitHub',
    issuer: 'https://github.com/login/oauth',
    authorizationEndpoint: 'https://github.com/login/oauth/authorize',
    tokenEndpoint: 'https://github.com/login/oauth/access_token',
    apiBase: 'https://api.github.com',
    scope: 'read:user user:email',
    clientAuth: 'post',
  },
  apple: {
    name: 'apple',
    title: 'Apple',
    issuer: 'https://appleid.apple.com',
    authorizationEndpoint: 'https://appleid.apple.com/auth/authorize',
    tokenEndpoint: 'https://appleid.apple.com/auth/token',
    jwksUri: 'https://appleid.apple.com/auth/keys',
    revocationEndpoint: 'https://appleid.apple.com/auth/revoke',
    scope: 'name email',
    clientAuth: 'apple',
    formPost: true,
    parameters: { response_mode: 'form_post' },
  },
};

const credentialsOf = (config: OAuthConfig, name: ProviderName): { id: string; secret: string } => {
  switch (name) {
    case 'google':
      return { id: config.googleClientId, secret: config.googleClientSecret };
    case 'facebook':
      return { id: config.facebookClientId, secret: config.facebookClientSecret };
    case 'x':
      return { id: config.xClientId, secret: config.xClientSecret };
    case 'github':
      return { id: config.githubClientId, secret: config.githubClientSecret };
    case 'apple':
      return { id: config.appleClientId, secret: '' };
    default:
      return name satisfies never;
  }
};

/** The client of a provider; undefined when it is not configured. `publicUrl` is the address of this API. */
export function providerClientOf(
  config: OAuthConfig,
  publicUrl: string,
  name: ProviderName,
): ProviderClient | undefined {
  const { id, secret } = credentialsOf(config, name);
  if (id === '' || config.returnUrls.length === 0) return undefined;
  return {
    provider: config.standInUrl === '' ? table[name] : standInOf(table[name], `${config.standInUrl}/${name}`),
    clientId: id,
    clientSecret: secret,
    redirectUri: `${publicUrl.replace(/\/+$/, '')}/v1/auth/oauth/${name}/callback`,
  };
}

/** The providers that are configured, in the order they are offered. */
export const configuredProviders = (config: OAuthConfig): readonly Provider[] =>
  providerNames.flatMap((name) =>
    credentialsOf(config, name).id === '' || config.returnUrls.length === 0 ? [] : [table[name]],
  );

// One stand-in speaks for all hosts of a provider: the paths stay, what is before them is replaced.
function standInOf(provider: Provider, base: string): Provider {
  const moved = (url: string | undefined): string | undefined =>
    url === undefined ? undefined : `${base}${new URL(url).pathname.replace(/^\/$/, '')}`;
  const { jwksUri, apiBase, revocationEndpoint } = provider;
  return {
    ...provider,
    issuer: base,
    authorizationEndpoint: moved(provider.authorizationEndpoint) ?? base,
    tokenEndpoint: moved(provider.tokenEndpoint) ?? base,
    ...(jwksUri === undefined ? {} : { jwksUri: moved(jwksUri) ?? base }),
    ...(apiBase === undefined ? {} : { apiBase: moved(apiBase) ?? base }),
    ...(revocationEndpoint === undefined ? {} : { revocationEndpoint: moved(revocationEndpoint) ?? base }),
  };
}
