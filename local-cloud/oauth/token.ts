import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { jwtVerify } from 'jose';
import { sendJson } from './http.ts';
import { signIdToken } from './id-token.ts';
import type { State } from './state.ts';
import type { Consent, StandInProvider } from './types.ts';

const codeLifeMs = 60_000;

interface TokenError {
  readonly error: string;
  readonly description: string;
}

/** `POST` of the token endpoint. A code works once, whatever comes of it. */
export async function exchangeCode(
  state: State,
  provider: StandInProvider,
  request: IncomingMessage,
  form: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const answer = await redeem(state, provider, request, form);
  if ('error' in answer) {
    refuse(provider, answer, request, response);
    return;
  }
  if (misbehave(answer.fault.replace(/^token_/, ''), answer.fault.startsWith('token_'), response)) return;
  const accessToken = randomBytes(24).toString('base64url');
  state.accessTokens.set(accessToken, answer);
  const body: Record<string, unknown> = {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: 3_600,
  };
  if (provider === 'google' || provider === 'apple') {
    body.token_type = 'Bearer';
    const issuer = `${state.url()}/${provider}`;
    const clientId = state.clients[provider].id;
    if (answer.fault !== 'no_id_token')
      body.id_token = await signIdToken(state.keys, provider, issuer, clientId, answer);
  }
  if (provider === 'apple') {
    const refreshToken = `r.${randomBytes(24).toString('base64url')}`;
    state.refreshTokens.add(refreshToken);
    body.refresh_token = refreshToken;
  }
  if (provider === 'github') {
    delete body.expires_in;
    body.scope = answer.request.scope.join(',');
    // https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps: a form unless JSON is asked for.
    if (!wantsJson(request)) {
      const text = new URLSearchParams(
        Object.entries(body).map(([name, value]) => [name, String(value)]),
      ).toString();
      response
        .writeHead(200, { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' })
        .end(text);
      return;
    }
  }
  if (provider === 'x') body.scope = answer.request.scope.join(' ');
  sendJson(response, 200, body);
}

/** Apple's revocation endpoint. */
export async function revoke(
  state: State,
  request: IncomingMessage,
  form: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const problem = await clientProblem(state, 'apple', request, form);
  const token = form.get('token') ?? '';
  if (problem !== undefined) sendJson(response, 400, { error: 'invalid_client', error_description: problem });
  else if (!state.refreshTokens.has(token)) sendJson(response, 400, { error: 'invalid_request' });
  else {
    state.revokedTokens.add(token);
    response.writeHead(200).end();
  }
}

/** Answers as a provider that is down, slow or broken. */
export function misbehave(fault: string, here: boolean, response: ServerResponse): boolean {
  if (!here) return false;
  switch (fault) {
    case 'down':
      sendJson(response, 503, { error: 'temporarily_unavailable' });
      return true;
    case 'hang':
      // Never answered; the client gives up first, and the connection goes with it.
      return true;
    case 'garbage':
      response.writeHead(200, { 'content-type': 'application/json' }).end('<html>{"access_token"');
      return true;
    case 'huge':
      response.writeHead(200, { 'content-type': 'application/json' }).end(`{"a":"${'x'.repeat(400_000)}"}`);
      return true;
    case 'redirect':
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
      return true;
    default:
      return false;
  }
}

async function redeem(
  state: State,
  provider: StandInProvider,
  request: IncomingMessage,
  form: URLSearchParams,
): Promise<Consent | TokenError> {
  const problem = await clientProblem(state, provider, request, form);
  if (problem !== undefined) return { error: 'invalid_client', description: problem };
  if (form.get('grant_type') !== 'authorization_code')
    return { error: 'unsupported_grant_type', description: '' };
  const code = form.get('code') ?? '';
  const consent = state.codes.get(code);
  state.codes.delete(code);
  const refused = (description: string): TokenError => ({ error: 'invalid_grant', description });
  if (consent === undefined || consent.request.provider !== provider)
    return refused('the code is not known or was used');
  if (Date.now() - consent.atMs > codeLifeMs) return refused('the code has expired');
  if (form.get('redirect_uri') !== consent.request.redirectUri) return refused('redirect_uri differs');
  const verifier = form.get('code_verifier') ?? '';
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier) || challenge !== consent.request.codeChallenge)
    return refused('code_verifier does not fit');
  return consent;
}

function refuse(
  provider: StandInProvider,
  { error, description }: TokenError,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (provider === 'facebook') {
    sendJson(response, 400, { error: { message: description, type: 'OAuthException', code: 100 } });
    return;
  }
  if (provider === 'github') {
    const body = {
      error: error === 'invalid_grant' ? 'bad_verification_code' : error,
      error_description: description,
    };
    if (wantsJson(request)) sendJson(response, 200, body);
    else
      response
        .writeHead(200, { 'content-type': 'application/x-www-form-urlencoded' })
        .end(String(new URLSearchParams(body)));
    return;
  }
  sendJson(response, error === 'invalid_client' ? 401 : 400, { error, error_description: description });
}

const wantsJson = (request: IncomingMessage): boolean =>
  request.headers.accept?.includes('application/json') === true;

async function clientProblem(
  state: State,
  provider: StandInProvider,
  request: IncomingMessage,
  form: URLSearchParams,
): Promise<string | undefined> {
  if (provider === 'apple') return appleClientProblem(state, form);
  const client = state.clients[provider];
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (provider === 'x') {
    const [id = '', secret = ''] = Buffer.from(basic ?? '', 'base64')
      .toString('utf8')
      .split(':')
      .map(decodeURIComponent);
    return same(id, client.id) && same(secret, client.secret) ? undefined : 'Basic authentication failed';
  }
  const right =
    same(form.get('client_id') ?? '', client.id) && same(form.get('client_secret') ?? '', client.secret);
  return right ? undefined : 'client_id or client_secret is wrong';
}

// https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret
async function appleClientProblem(state: State, form: URLSearchParams): Promise<string | undefined> {
  const { id, teamId, keyId, publicKey } = state.clients.apple;
  if (form.get('client_id') !== id) return 'client_id is wrong';
  try {
    const { payload, protectedHeader } = await jwtVerify(form.get('client_secret') ?? '', publicKey, {
      algorithms: ['ES256'],
      issuer: teamId,
      subject: id,
      audience: `${state.url()}/apple`,
      requiredClaims: ['iat', 'exp'],
    });
    if (protectedHeader.kid !== keyId) return 'the client secret has another kid';
    return (payload.exp ?? 0) - (payload.iat ?? 0) > 15_777_000
      ? 'the client secret lives too long'
      : undefined;
  } catch (error) {
    return `the client secret is not valid: ${error instanceof Error ? error.message : ''}`;
  }
}

const same = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
