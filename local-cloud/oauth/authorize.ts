import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { sendPage } from './http.ts';
import { consentPage, errorPage, formPostPage } from './page.ts';
import type { State } from './state.ts';
import type { AuthorizationRequest, StandInProvider, TestPerson } from './types.ts';

const scopesNeeded: Readonly<Record<StandInProvider, readonly string[]>> = {
  google: ['openid', 'email'],
  facebook: ['email'],
  x: ['users.read', 'users.email'],
  github: ['user:email'],
  apple: ['name', 'email'],
};

/** `GET` of the authorization endpoint: refuses what the provider would, else shows the consent page. */
export function authorize(
  state: State,
  provider: StandInProvider,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const problem = problemOf(state, provider, query);
  if (problem !== undefined) {
    sendPage(response, 400, errorPage(problem));
    return;
  }
  const request: AuthorizationRequest = {
    provider,
    redirectUri: query.get('redirect_uri') ?? '',
    state: query.get('state') ?? '',
    nonce: query.get('nonce') ?? undefined,
    codeChallenge: query.get('code_challenge') ?? '',
    scope: (query.get('scope') ?? '').split(/[ ,]/),
  };
  const requestId = randomBytes(16).toString('base64url');
  state.requests.set(requestId, request);
  sendPage(response, 200, consentPage(requestId, request));
}

function problemOf(state: State, provider: StandInProvider, query: URLSearchParams): string | undefined {
  if (query.get('client_id') !== state.clients[provider].id) return 'client_id is not known';
  if (query.get('redirect_uri') !== state.redirectUri(provider))
    return `redirect_uri must be ${state.redirectUri(provider)}`;
  if (query.get('response_type') !== 'code') return 'response_type must be code';
  if ((query.get('state') ?? '').length < 16) return 'state is missing or short';
  if (query.get('code_challenge_method') !== 'S256') return 'code_challenge_method must be S256';
  if (!/^[A-Za-z0-9_-]{43}$/.test(query.get('code_challenge') ?? '')) return 'code_challenge is not one';
  const scope = (query.get('scope') ?? '').split(/[ ,]/);
  const missing = scopesNeeded[provider].filter((name) => !scope.includes(name));
  if (missing.length > 0) return `scope lacks ${missing.join(', ')}`;
  const openId = provider === 'google' || provider === 'apple';
  if (openId && (query.get('nonce') ?? '').length < 16) return 'nonce is missing or short';
  if (provider === 'apple' && query.get('response_mode') !== 'form_post')
    return 'response_mode must be form_post when name or email is asked for';
  return undefined;
}

/** The person's decision: sends the browser back with a code or an error. */
export function decide(
  state: State,
  provider: StandInProvider,
  form: URLSearchParams,
  response: ServerResponse,
): void {
  const request = state.requests.get(form.get('request') ?? '');
  if (request === undefined || request.provider !== provider) {
    sendPage(response, 400, errorPage('this consent page is over'));
    return;
  }
  state.requests.delete(form.get('request') ?? '');
  const fault = state.testControls ? (form.get('fault') ?? '') : '';
  if (form.get('decision') !== 'allow') {
    const error = provider === 'apple' ? 'user_cancelled_authorize' : 'access_denied';
    sendBack(request, { error, state: request.state }, response);
    return;
  }
  const person = personOf(form);
  const code = randomBytes(24).toString('base64url');
  state.codes.set(code, { request, person, fault, atMs: Date.now() });
  const issuer = fault === 'callback_iss' ? 'https://other.example' : `${state.url()}/${provider}`;
  sendBack(
    request,
    {
      code,
      state: request.state,
      ...(provider === 'google' || fault === 'callback_iss' ? { iss: issuer } : {}),
      ...appleUserOf(state, request, person),
    },
    response,
  );
}

function sendBack(
  request: AuthorizationRequest,
  fields: Readonly<Record<string, string>>,
  response: ServerResponse,
): void {
  if (request.provider === 'apple') {
    sendPage(response, 200, formPostPage(request.redirectUri, fields));
    return;
  }
  response.writeHead(302, { location: `${request.redirectUri}?${new URLSearchParams(fields)}` }).end();
}

// Apple tells the name only the first time a person logs in to an app.
function appleUserOf(
  state: State,
  { provider }: AuthorizationRequest,
  person: TestPerson,
): Record<string, string> {
  if (provider !== 'apple' || state.appleSeen.has(person.subject)) return {};
  state.appleSeen.add(person.subject);
  const [firstName = '', ...rest] = person.name.split(' ');
  return { user: JSON.stringify({ name: { firstName, lastName: rest.join(' ') }, email: person.email }) };
}

function personOf(form: URLSearchParams): TestPerson {
  const email = form.get('email') ?? '';
  const digest = createHash('sha256').update(email).digest();
  return {
    subject: form.get('subject') || String(digest.readUIntBE(0, 6)),
    name: form.get('name') ?? '',
    username: form.get('username') || `user${digest.readUInt16BE(6)}`,
    email,
    emailVerified: form.get('email_verified') === 'true',
  };
}
