import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import worker from '../../../src/index.ts';
import { call, callJson, origin, seedUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';

interface Problem {
  readonly type: string;
  readonly status: number;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string }[];
}

const problem = async (response: Response): Promise<Problem> => {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body: Problem = await response.json();
  expect(body.status).toBe(response.status);
  expect(body.request_id).toBe(response.headers.get('x-request-id'));
  return body;
};

describe('a request', () => {
  it('keeps the id it came with, or gets one', async () => {
    const given = await call('GET', '/livez', { headers: { 'x-request-id': 'client-chosen-1' } });
    expect(given.headers.get('x-request-id')).toBe('client-chosen-1');
    const odd = await call('GET', '/livez', { headers: { 'x-request-id': 'two words; drop' } });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('continues the trace it came with', async () => {
    const response = await call('GET', '/livez', {
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    });
    expect(response.headers.get('traceparent')).toMatch(
      /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/,
    );
  });

  it.each([
    ['not json', '{"text":', 400, 'request.malformed_json'],
    ['not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'request.malformed_json'],
    ['too large', JSON.stringify({ text: 'x'.repeat(300_000) }), 413, 'request.body_too_large'],
  ] as const)('with a body that is %s is refused and writes nothing', async (_, body, status, code) => {
    const user = await seedUser();
    const response = await call('POST', '/v1/posts', { token: user.token, body });
    expect(response.status).toBe(status);
    expect((await problem(response)).code).toBe(code);
    expect(await callJson(200, 'GET', `/v1/users/${user.id}/posts`)).toMatchObject({ data: [] });
  });

  it('with another content type is refused', async () => {
    const user = await seedUser();
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json; charset=latin1',
    ]) {
      const response = await call('POST', '/v1/posts', {
        token: user.token,
        body: '{"text":"x"}',
        headers: { 'content-type': type },
      });
      expect(response.status, type).toBe(415);
    }
  });

  it('with unknown fields is refused, each named by pointer', async () => {
    const user = await seedUser();
    const response = await call('POST', '/v1/posts', {
      token: user.token,
      body: { text: 'hello', is_admin: true, 'a/b~c': 1 },
    });
    expect(response.status).toBe(422);
    const { errors } = await problem(response);
    expect(errors?.map((error) => error.pointer).sort()).toEqual(['/a~1b~0c', '/is_admin']);
    expect(errors?.every((error) => error.code === 'unknown_field')).toBe(true);
  });

  it('with __proto__ or constructor keys pollutes nothing', async () => {
    const user = await seedUser();
    const response = await call('POST', '/v1/posts', {
      token: user.token,
      body: '{"text":"x","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    });
    expect(response.status).toBe(422);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('with a query key given twice is refused', async () => {
    const response = await call('GET', '/livez?a=1&a=2');
    expect(response.status).toBe(400);
    expect((await problem(response)).code).toBe('request.duplicate_parameter');
  });

  it('to nowhere is a 404 problem; with the wrong method a 405 that says which are right', async () => {
    expect((await problem(await call('GET', '/v1/nothing'))).code).toBe('http.not_found');
    const response = await call('PUT', '/v1/posts');
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect((await call('DELETE', '/livez')).headers.get('allow')).toBe('GET, HEAD');
  });

  it('with an absurd path or header never ends in a 500', async () => {
    for (const path of [
      '/%',
      '/%00',
      '/v1/posts/%ff',
      '/v1/users/..%2f..%2fetc',
      `/v1/posts/${'a'.repeat(5_000)}`,
      '/v1/feeds/home?limit=abc',
      '/v1/feeds/home?cursor=%00',
    ])
      expect((await call('GET', path)).status, path).toBeLessThan(500);
    expect(
      (await call('GET', '/v1/me', { headers: { authorization: `Bearer ${'x'.repeat(9_000)}` } })).status,
    ).toBe(401);
    expect((await call('GET', '/v1/me', { headers: { authorization: 'Basic dXNlcjpwdw==' } })).status).toBe(
      401,
    );
  });
});

describe('every answer', () => {
  it('carries the security headers', async () => {
    for (const response of [
      await call('GET', '/livez'),
      await call('GET', '/nowhere'),
      await call('POST', '/v1/posts', { body: {} }),
    ]) {
      expect(response.headers.get('strict-transport-security')).toContain('max-age=63072000');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    }
  });

  it('lets listed origins read it and no others', async () => {
    const allowed = await call('GET', '/livez', { headers: { origin: 'http://localhost:3000' } });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    expect(allowed.headers.get('vary')).toMatch(/origin/i);
    const other = await call('GET', '/livez', { headers: { origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('answers preflights', async () => {
    const response = await call('OPTIONS', '/v1/posts', {
      headers: {
        origin: 'http://localhost:3000',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,idempotency-key',
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toMatch(/Idempotency-Key/i);
  });
});

describe('a client that just wrote', () => {
  it('reads from the primary for a few seconds, then from the replica', async () => {
    const user = await seedUser();
    const wrote = await call('POST', '/v1/posts', { token: user.token, body: { text: 'pinned?' } });
    const until = Number(wrote.headers.get('x-read-pin'));
    expect(until).toBeGreaterThan(Date.now());
    expect(until).toBeLessThanOrEqual(Date.now() + 5_000);
    expect(wrote.headers.get('set-cookie')).toMatch(
      /^__Host-sf_read_pin=\d+; Max-Age=5; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );

    // A replica nobody can reach: what answers has read from the primary.
    const read = async (headers: Record<string, string>): Promise<number> => {
      const context = createExecutionContext();
      const bindings = { ...testEnv(env), DATABASE_REPLICA_URL: 'postgres://nobody:wrong@db.test/nowhere' };
      const request = new Request(`${origin}/v1/users/${user.id}`, { headers });
      const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], bindings, context);
      await waitOnExecutionContext(context);
      return response.status;
    };
    expect(await read({ 'x-read-pin': String(until) })).toBe(200);
    expect(await read({ cookie: `a=b; __Host-sf_read_pin=${until}; c=d` })).toBe(200);
    for (const headers of [
      {},
      { 'x-read-pin': 'forever' },
      { 'x-read-pin': String(Date.now() - 1) },
      { 'x-read-pin': String(Date.now() + 3_600_000) },
      { cookie: `not___Host-sf_read_pin=${until}` },
    ])
      expect(await read(headers as Record<string, string>), JSON.stringify(headers)).toBeGreaterThanOrEqual(
        500,
      );
  });
});
