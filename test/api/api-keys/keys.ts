import type { ApiKeyScope } from '../../../src/http/roles.ts';
import { call, callJson, type TestUser } from '../../support/worker/client.ts';

export interface ApiKeyJson {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly scopes: readonly string[];
  readonly networks: readonly string[];
  readonly created_at: string;
  readonly expires_at: string;
  readonly last_used_at: string | null;
  readonly last_used_country: string | null;
}

export interface NewApiKeyJson {
  readonly api_key: ApiKeyJson;
  readonly secret: string;
}

export const requestKey = (user: TestUser, changes: Readonly<Record<string, unknown>> = {}) =>
  call('POST', '/v1/me/api-keys', {
    token: user.token,
    body: { name: 'a script', scopes: ['profile:read'], ...changes },
  });

/** Makes a key through the API. */
export const createKey = (
  user: Pick<TestUser, 'token'>,
  scopes: readonly ApiKeyScope[],
  changes: Readonly<Record<string, unknown>> = {},
): Promise<NewApiKeyJson> =>
  callJson<NewApiKeyJson>(201, 'POST', '/v1/me/api-keys', {
    token: user.token,
    body: { name: 'a script', scopes, ...changes },
  });
