import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import worker from '../../../src/index.ts';
import { randomIds } from '../../../src/shared/ids.ts';
import { call, origin, seedUser, sqlRows } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';

/** Calls the Worker with other bindings. */
async function callWith(bindings: object, request: Request): Promise<Response> {
  const context = createExecutionContext();
  const response = await worker.fetch(
    request as Parameters<typeof worker.fetch>[0],
    { ...testEnv(env), ...bindings },
    context,
  );
  await waitOnExecutionContext(context);
  return response;
}

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('an empty body', () => {
  const emptyStream = () => new ReadableStream({ start: (controller) => controller.close() });

  it.each([
    ['of length 0', () => ''],
    ['sent in chunks', emptyStream],
  ])('%s under an Idempotency-Key is refused as no JSON, and the key stays free', async (_, body) => {
    const user = await seedUser();
    const patch = (content: BodyInit) =>
      callWith(
        {},
        new Request(`${origin}/v1/me`, {
          method: 'PATCH',
          headers: {
            authorization: `Bearer ${user.token}`,
            'content-type': 'application/json',
            'idempotency-key': 'empty',
          },
          body: content,
        }),
      );
    const refused = await patch(body());
    expect(refused.status).toBe(400);
    expect(await codeOf(refused)).toBe('request.malformed_json');
    expect((await patch('{"bio":"now with a body"}')).status).toBe(200);
  });
});

describe('an encoded body', () => {
  it('is refused by name instead of being read as if it were plain', async () => {
    const user = await seedUser();
    for (const encoding of ['gzip', 'br', 'gzip, identity']) {
      const response = await call('POST', '/v1/posts', {
        token: user.token,
        body: { text: 'x' },
        headers: { 'content-encoding': encoding },
      });
      expect(response.status, encoding).toBe(415);
    }
    const plain = await call('POST', '/v1/posts', {
      token: user.token,
      body: { text: 'x' },
      headers: { 'content-encoding': 'identity' },
    });
    expect(plain.status).toBe(201);
  });
});

describe('a user agent', () => {
  it('that is cut through a character opens a session all the same', async () => {
    const username = `cut_${randomIds.next().slice(-8)}`;
    const registered = await call('POST', '/v1/auth/register', {
      headers: { 'user-agent': `${'x'.repeat(399)}\u{1f60a}` },
      body: { username, email: `${username}@example.com`, password: 'nine herons by the river' },
    });
    expect(registered.status).toBe(201);
  });
});

describe('an address that is none', () => {
  it.each(['garbage', '1.2.3.4, 5.6.7.8', 'fe80::1%eth0', '999.1.1.1', "'; DROP TABLE users"])(
    '(%s) is not written anywhere and fails nothing',
    async (ip) => {
      const username = `odd_${crypto.randomUUID().slice(0, 8)}`;
      const response = await call('POST', '/v1/auth/register', {
        ip,
        body: { username, email: `${username}@example.com`, password: 'seven ravens over the moor' },
      });
      expect(response.status).toBe(201);
      expect(
        await sqlRows(
          'SELECT sessions.ip FROM sessions JOIN users ON users.id = user_id WHERE username = $1',
          [username],
        ),
      ).toEqual([{ ip: null }]);
    },
  );
});

describe('an access token', () => {
  it('is taken whatever the case of the scheme (RFC 9110 §11.1)', async () => {
    const { token } = await seedUser();
    for (const scheme of ['bearer', 'BEARER', 'Bearer'])
      expect(
        (await call('GET', '/v1/me', { headers: { authorization: `${scheme} ${token}` } })).status,
        scheme,
      ).toBe(200);
  });

  it('that is forged is not even checked once its address floods', async () => {
    const shut = { limit: async () => ({ success: false }) };
    const request = () => new Request(`${origin}/v1/me`, { headers: { authorization: 'Bearer forged' } });
    expect((await callWith({}, request())).status).toBe(401);
    expect((await callWith({ EDGE_LIMIT: shut }, request())).status).toBe(429);
  });
});

describe('a refusal for too many requests', () => {
  it('names the policy that was violated', async () => {
    const shut = { limit: async () => ({ success: false }) };
    const response = await callWith({ EDGE_LIMIT: shut }, new Request(`${origin}/readyz`));
    expect(await response.json()).toMatchObject({
      status: 429,
      code: 'rate_limit.exceeded',
      'violated-policies': ['edge'],
    });
  });
});

describe('a query', () => {
  it('with a repetition among thousands of keys is refused', async () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => index.toString(36));
    expect((await call('GET', `/livez?${keys.join('&')}`)).status).toBe(200);
    expect((await call('GET', `/livez?${keys.join('&')}&a=1`)).status).toBe(400);
    expect((await call('GET', '/livez?%61=1&a=2')).status).toBe(400);
  });
});
