import { type CallOptions, call, callJson } from '../../support/worker/client.ts';

export interface TokenBody {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly refresh_expires_in: number;
}

export interface SignedInBody extends TokenBody {
  readonly user: { readonly id: string; readonly username: string } & Record<string, unknown>;
}

export const password = 'seven ravens over the moor';

let nextAccount = 0;
let tag: string | undefined;

/** A username no other test uses: files have databases of their own, but their mails meet in one mailbox server. */
export const freshUsername = (): string => {
  nextAccount += 1;
  tag ??= crypto.randomUUID().slice(0, 8);
  return `tester_${nextAccount}_${tag}`;
};

export const registration = (changes: Record<string, unknown> = {}) => {
  const username = freshUsername();
  return { username, email: `${username}@example.com`, password, ...changes };
};

/** Registers through the API. */
export const registerAccount = (changes: Record<string, unknown> = {}): Promise<SignedInBody> =>
  callJson<SignedInBody>(201, 'POST', '/v1/auth/register', { body: registration(changes) });

export const logIn = (identifier: string, attempt: string = password, options: CallOptions = {}) =>
  call('POST', '/v1/auth/login', { ...options, body: { identifier, password: attempt } });

export const refresh = (refreshToken: string) =>
  call('POST', '/v1/auth/refresh', { body: { refresh_token: refreshToken } });

export interface ProblemBody {
  readonly status: number;
  readonly code: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string }[];
}

/** The problem of a refused call, with the status it came with. */
export async function problemOf(response: Response): Promise<ProblemBody> {
  const body = (await response.json()) as ProblemBody;
  if (response.status !== body.status)
    throw new Error(`answered ${response.status} with a problem of ${body.status}`);
  return body;
}
