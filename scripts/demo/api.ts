/** A refused or failed call, with the problem the API answered. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;

  constructor(call: string, status: number, body: string) {
    super(`${call} answered ${status}: ${body.slice(0, 500)}`);
    this.name = 'ApiFailure';
    this.status = status;
    this.code = /"code":"([^"]+)"/.exec(body)?.[1] ?? 'unknown';
  }
}

export interface ApiClient {
  get<T>(path: string): Promise<T>;
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
}

/** A client of the API over HTTP, with the access token of one person. Throws ApiFailure on any answer but 2xx. */
export function createApiClient(baseUrl: string, token?: string): ApiClient {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' && token !== undefined ? { 'idempotency-key': crypto.randomUUID() } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiFailure(`${method} ${path}`, response.status, text);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  return { get: (path) => call('GET', path), send: call };
}
