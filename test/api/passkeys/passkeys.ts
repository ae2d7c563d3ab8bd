import {
  type CreationOptions,
  createCredential,
  getAssertion,
  newPasskey,
  type Odd,
  type RequestOptions,
  type SoftPasskey,
} from '../../support/worker/authenticator.ts';
import { type CallOptions, call, callJson, sqlRows } from '../../support/worker/client.ts';
import type { SignedInBody } from '../auth/accounts.ts';

export interface RegistrationOptions {
  readonly challenge_token: string;
  readonly expires_in: number;
  readonly public_key: CreationOptions & Record<string, unknown>;
}

export interface AssertionOptions {
  readonly challenge_token: string;
  readonly expires_in: number;
  readonly public_key: RequestOptions & {
    readonly allowCredentials: { readonly id: string; readonly transports: string[] }[];
  } & Record<string, unknown>;
}

export interface Registered {
  readonly passkey: { readonly id: string; readonly name: string } & Record<string, unknown>;
  readonly backup_codes: string[] | null;
}

export const registrationOptions = (token: string) =>
  callJson<RegistrationOptions>(200, 'POST', '/v1/me/passkeys/options', { token });

/** Asks for options and answers them with `passkey`. */
export async function answerRegistration(token: string, passkey: SoftPasskey, odd: Odd = {}) {
  const { challenge_token, public_key } = await registrationOptions(token);
  return { challenge_token, credential: await createCredential(passkey, public_key, odd) };
}

export const postRegistration = (token: string, body: unknown) =>
  call('POST', '/v1/me/passkeys', { token, body });

/** Registers a passkey for the account of the token. */
export async function register(
  token: string,
  options: Parameters<typeof newPasskey>[0] & { readonly name?: string } = {},
): Promise<{ readonly passkey: SoftPasskey; readonly id: string; readonly backupCodes: string[] | null }> {
  const { name, ...kind } = options;
  const passkey = await newPasskey(kind);
  const body = { ...(await answerRegistration(token, passkey)), ...(name === undefined ? {} : { name }) };
  const registered = await callJson<Registered>(201, 'POST', '/v1/me/passkeys', { token, body });
  return { passkey, id: registered.passkey.id, backupCodes: registered.backup_codes };
}

export const loginOptions = (options: CallOptions = {}) =>
  callJson<AssertionOptions>(200, 'POST', '/v1/auth/passkeys/login/options', options);

/** The body of a login with a fresh challenge. */
export async function answerLogin(passkey: SoftPasskey, odd: Odd = {}) {
  const { challenge_token, public_key } = await loginOptions();
  return { challenge_token, credential: await getAssertion(passkey, public_key, odd) };
}

export const postLogin = (body: unknown, options: CallOptions = {}) =>
  call('POST', '/v1/auth/passkeys/login', { ...options, body });

export async function logInWith(passkey: SoftPasskey, options: CallOptions = {}): Promise<SignedInBody> {
  const body = await answerLogin(passkey);
  return callJson<SignedInBody>(200, 'POST', '/v1/auth/passkeys/login', { ...options, body });
}

export const stepUpOptions = (token: string) =>
  callJson<AssertionOptions>(200, 'POST', '/v1/auth/passkeys/step-up/options', { token });

/** A token that opens the routes that need a recent login. */
export async function steppedUpWith(token: string, passkey: SoftPasskey): Promise<string> {
  const { challenge_token, public_key } = await stepUpOptions(token);
  const body = { challenge_token, credential: await getAssertion(passkey, public_key) };
  const { access_token } = await callJson<{ access_token: string }>(
    200,
    'POST',
    '/v1/auth/passkeys/step-up',
    { token, body },
  );
  return access_token;
}

export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));

/** The id of an account as the database has it. */
export async function uuidOf(username: string): Promise<string> {
  const [row] = await sqlRows<{ id: string }>('SELECT id FROM users WHERE username = $1', [username]);
  return row?.id ?? '';
}

export const passkeyRows = (userUuid: string) =>
  sqlRows<{ sign_count: string; last_used_at: string | null; backed_up: boolean; name: string }>(
    'SELECT sign_count, last_used_at, backed_up, name FROM passkeys WHERE user_id = $1',
    [userUuid],
  );

/** Reasons of the refusals that were recorded against an account, oldest first. */
export async function refusalsOf(userUuid: string, action: string): Promise<string[]> {
  const rows = await sqlRows<{ reason: string }>(
    `SELECT detail ->> 'reason' AS reason FROM audit_log
     WHERE target_id = $1 AND action = $2 AND outcome = 'failure' ORDER BY created_at`,
    [userUuid, action],
  );
  return rows.map(({ reason }) => reason);
}

/** Security notices written for an account; the queue of the tests keeps them from being forgotten. */
export const countOf = async (text: string, params: unknown[] = []): Promise<number> =>
  Number((await sqlRows<{ count: number }>(`SELECT count(*)::int AS count FROM ${text}`, params))[0]?.count);
