import { inject } from 'vitest';
import type { ProviderName } from '../../../src/integrations/oauth/index.ts';
import { base64Url, utf8 } from '../../../src/shared/encoding.ts';
import { type CallOptions, call, callJson, origin } from '../../support/worker/client.ts';
import type { SignedInBody } from '../auth/accounts.ts';

export const returnTo = 'https://app.test/signed-in';

export interface Person {
  readonly subject: string;
  readonly name?: string;
  readonly username?: string;
  readonly email?: string;
  readonly email_verified?: 'true';
  /** How the stand-in misbehaves after the consent. */
  readonly fault?: string;
}

let nextPerson = 0;

/** Somebody no other test knows, with a mailbox the provider answers for. */
export function freshPerson(changes: Partial<Person> = {}): Person {
  nextPerson += 1;
  const tag = `${Date.now() % 1_000_000}${nextPerson}`;
  return {
    subject: `7${tag}`,
    name: `Person ${nextPerson}`,
    username: `person${tag}`,
    email: `person${tag}@gmail.com`,
    email_verified: 'true',
    ...changes,
  };
}

export interface Started {
  readonly verifier: string;
  readonly authorizationUrl: string;
}

export const newVerifier = (): string => base64Url(crypto.getRandomValues(new Uint8Array(32)));

export const challengeOf = async (verifier: string): Promise<string> =>
  base64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(verifier))));

/** The path that begins a flow. */
export const startPath = (provider: ProviderName) => `/v1/auth/oauth/${provider}/start`;

/** A client begins. */
export async function start(path: string, options: CallOptions = {}): Promise<Started> {
  const verifier = newVerifier();
  const { authorization_url } = await callJson<{ authorization_url: string }>(200, 'POST', path, {
    ...options,
    body: { return_to: returnTo, code_challenge: await challengeOf(verifier) },
  });
  return { verifier, authorizationUrl: authorization_url };
}

export interface Departed {
  readonly consentUrl: string;
  /** What the browser sends back to us. */
  readonly cookie: string;
}

/** A browser opens the address and is sent on. */
export async function depart({ authorizationUrl }: Pick<Started, 'authorizationUrl'>): Promise<Departed> {
  const response = await call('GET', authorizationUrl.slice(origin.length));
  if (response.status !== 303) throw new Error(`depart: ${response.status} ${await response.text()}`);
  return {
    consentUrl: response.headers.get('location') ?? '',
    cookie: (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '',
  };
}

/** What the browser brings back from the provider. */
export interface CameBack {
  readonly provider: ProviderName;
  readonly fields: URLSearchParams;
}

/** The person decides on the consent page. */
export async function decide(
  provider: ProviderName,
  consentUrl: string,
  decision: Person | 'deny',
): Promise<CameBack> {
  const page = await fetch(consentUrl);
  const html = await page.text();
  const request = /name="request" value="([^"]+)"/.exec(html)?.[1];
  if (request === undefined) throw new Error(`no consent page: ${html.slice(0, 2_000)}`);
  const form = new URLSearchParams({
    request,
    ...(decision === 'deny' ? { decision } : { decision: 'allow', ...decision }),
  });
  const answer = await fetch(`${inject('oauthSettings').OAUTH_STAND_IN_URL}/${provider}/consent`, {
    method: 'POST',
    body: form,
    redirect: 'manual',
  });
  if (provider !== 'apple')
    return { provider, fields: new URL(answer.headers.get('location') ?? '').searchParams };
  const text = await answer.text();
  const unescaped = (value: string) =>
    value.replaceAll(/&#(\d+);/g, (_, digits: string) => String.fromCharCode(Number(digits)));
  const fields = new URLSearchParams(
    [...text.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      unescaped(value),
    ]),
  );
  return { provider, fields };
}

/** The browser comes back to the callback of a provider. */
export function comeBack(
  { provider, fields }: CameBack,
  cookie: string,
  at: ProviderName = provider,
): Promise<Response> {
  const path = `/v1/auth/oauth/${at}/callback`;
  const headers = cookie === '' ? {} : { cookie };
  return provider === 'apple'
    ? call('POST', path, {
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: String(fields),
      })
    : call('GET', `${path}?${fields}`, { headers });
}

/** The fragment the client is called back with. */
export async function fragmentOf(response: Response): Promise<URLSearchParams> {
  const location = response.headers.get('location') ?? '';
  if (response.status !== 303 || !location.startsWith(`${returnTo}#`))
    throw new Error(`callback: ${response.status} ${location} ${await response.text()}`);
  return new URLSearchParams(location.slice(returnTo.length + 1));
}

export interface Handoff {
  readonly handoff: string;
  readonly code_verifier: string;
}

/** A whole trip to a provider and back, up to the handoff. */
export async function travel(
  provider: ProviderName,
  person: Person,
  path: string = startPath(provider),
  options: CallOptions = {},
): Promise<Handoff> {
  const started = await start(path, options);
  const { consentUrl, cookie } = await depart(started);
  const back = await decide(provider, consentUrl, person);
  const fragment = await fragmentOf(await comeBack(back, cookie));
  return { handoff: fragment.get('handoff') ?? '', code_verifier: started.verifier };
}

export const complete = (body: Handoff, options: CallOptions = {}): Promise<Response> =>
  call('POST', '/v1/auth/oauth/complete', { ...options, body });

export interface RegistrationRequired {
  readonly registration_required: true;
  readonly registration_token: string;
  readonly provider: string;
  readonly suggested_username: string | null;
  readonly email: string | null;
}

/** Logs in by a provider, up to the offer to register. */
export const offer = async (provider: ProviderName, person: Person): Promise<RegistrationRequired> =>
  callJson<RegistrationRequired>(200, 'POST', '/v1/auth/oauth/complete', {
    body: await travel(provider, person),
  });

/** Registers somebody by a provider. */
export async function registerBy(
  provider: ProviderName,
  person: Person,
  changes: Record<string, unknown> = {},
): Promise<SignedInBody> {
  const { registration_token, suggested_username } = await offer(provider, person);
  return callJson<SignedInBody>(201, 'POST', '/v1/auth/oauth/register', {
    body: { registration_token, username: suggested_username, ...changes },
  });
}

/** Links a provider to the account of a token. */
export async function link(provider: ProviderName, person: Person, token: string): Promise<Response> {
  const handoff = await travel(provider, person, `/v1/me/identities/${provider}/start`, { token });
  return call('POST', '/v1/me/identities', { token, body: handoff });
}
