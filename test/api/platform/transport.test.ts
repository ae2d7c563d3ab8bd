import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import worker from '../../../src/index.ts';
import { call, seedUser } from '../../support/worker/client.ts';
import { testEnv } from '../../support/worker/env.ts';
import { problemOf } from '../auth/accounts.ts';

describe('every answer', () => {
  it('says how browsers must treat it, and is not kept by caches when somebody is signed in', async () => {
    const { token } = await seedUser();
    for (const response of [
      await call('GET', '/v1/me', { token }),
      await call('GET', '/v1/me'),
      await call('GET', '/nowhere'),
      await call('POST', '/v1/auth/login', { body: {} }),
    ]) {
      const header = (name: string) => response.headers.get(name);
      const [, seconds] =
        /max-age=(\d+); includeSubDomains/.exec(header('strict-transport-security') ?? '') ?? [];
      expect(Number(seconds)).toBeGreaterThanOrEqual(31_536_000);
      expect(header('content-security-policy')).toContain("default-src 'none'");
      expect(header('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(header('x-frame-options')).toBe('DENY');
      expect(header('x-content-type-options')).toBe('nosniff');
      expect(header('referrer-policy')).toBe('no-referrer');
      expect(header('cross-origin-resource-policy')).toBe('same-origin');
      expect(header('cross-origin-opener-policy')).toBe('same-origin');
      expect(header('cache-control')).toContain('no-store');
      expect(header('vary')).toMatch(/\borigin\b/i);
      expect(header('content-type')).toMatch(/^application\/(problem\+)?json(; charset=utf-8)?$/i);
      expect(header('x-powered-by')).toBeNull();
    }
  });

  it('sends nobody anywhere: what a client names is never a Location', async () => {
    const target = 'https://evil.example';
    for (const query of ['next', 'redirect', 'redirect_uri', 'return_to', 'url', 'continue'])
      for (const path of ['/', '/livez', '/v1/me', '/v1/auth/login', '//evil.example', '/docs']) {
        const response = await call('GET', `${path}?${query}=${encodeURIComponent(target)}`, {
          headers: { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' },
        });
        expect(response.headers.get('location'), `${path} ${query}`).toBeNull();
        expect([301, 302, 303, 307, 308]).not.toContain(response.status);
      }
  });
});

describe('a secret in an address', () => {
  it('is refused everywhere, and never taken', async () => {
    const { token } = await seedUser();
    for (const key of ['access_token', 'token', 'api_key', 'refresh_token', 'mfa_token', 'Access_Token'])
      for (const path of ['/v1/me', '/livez', '/v1/realtime', '/nowhere']) {
        const response = await call('GET', `${path}?${key}=${token}`);
        expect(await problemOf(response), `${path} ${key}`).toMatchObject({
          status: 400,
          code: 'request.token_in_address',
        });
      }
  });

  it('does not appear in the refusal', async () => {
    const { token } = await seedUser();
    const response = await call('GET', `/v1/me?access_token=${token}`);
    expect(await response.text()).not.toContain(token);
  });
});

describe('a request', () => {
  it('with a method nobody knows is refused', async () => {
    for (const method of ['PROPFIND', 'PURGE', 'MKCOL', 'SEARCH']) {
      const known = await call(method, '/v1/me');
      expect(await problemOf(known), method).toMatchObject({ status: 405, code: 'http.method_not_allowed' });
      expect(known.headers.get('allow')).toContain('GET');
      expect((await call(method, '/nowhere')).status).toBe(404);
    }
    for (const override of ['x-http-method-override', 'x-method-override', 'x-http-method'])
      expect((await call('POST', '/v1/me', { headers: { [override]: 'PATCH' }, body: {} })).status).toBe(405);
  });

  it('is not believed about where it comes from or whom it reached', async () => {
    const forged = {
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-original-url': '/v1/admin/users/search',
      'x-rewrite-url': '/v1/admin/users/search',
      forwarded: 'for=127.0.0.1;host=evil.example;proto=http',
    };
    const plain = await call('GET', '/v1/me', { headers: forged });
    expect(plain.status).toBe(401);
    const ip = '203.0.113.77';
    const statuses: number[] = [];
    for (let index = 0; index < 12; index += 1)
      statuses.push(
        (
          await call('POST', '/v1/auth/login', {
            ip,
            headers: { 'x-forwarded-for': `198.51.100.${index}`, 'x-real-ip': `198.51.100.${index}` },
            body: { identifier: 'nobody_here', password: 'x' },
          })
        ).status,
      );
    expect(statuses).toContain(429);
    const document = await call('GET', '/openapi.json', { headers: forged });
    expect(await document.text()).not.toContain('evil.example');
  });

  it('for the documentation page gets that page’s own policy', async () => {
    const response = await call('GET', '/docs');
    if (response.status === 200)
      expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });
});

describe('plain http', () => {
  const deployed = (environment: string) => ({
    ...testEnv(env),
    ENVIRONMENT: environment,
    LOG_LEVEL: 'error',
    CURSOR_SECRET: 'uJ4nq8ZrT2wLx6Vb9Kd3Hs7Pf5Mg1Yc0',
    PASSWORD_PEPPER: 'Rw3mT7kZp1Xc9Vb5Nd2Jh8Lf4Sg6Qy0u',
    AWS_WEBHOOK_SECRET: 'Bn6Vx2Kc8Mz4Lq1Wp7Rt3Yu9Ji5Ho0Gd',
    DATABASE_URL: 'postgres://app:pw@db.social-flow.dev/social_flow',
    DATABASE_REPLICA_URL: 'postgres://replica:pw@db.social-flow.dev/social_flow',
    DATABASE_SHARD_URLS:
      'postgres://app:pw@db.social-flow.dev/shard_0,postgres://app:pw@db.social-flow.dev/shard_1',
    S3_ENDPOINT: '',
    S3_PUBLIC_ENDPOINT: '',
    MEDIACONVERT_ENDPOINT: '',
    IVS_ENDPOINT: '',
    CLOUDFRONT_ENDPOINT: '',
    GUARDDUTY_ENDPOINT: '',
    SES_ENDPOINT: '',
    SMS_API_URL: 'https://sms.social-flow.dev',
    BREACHED_PASSWORDS_URL: 'https://breached.social-flow.dev',
    CDN_BASE_URL: 'https://media.social-flow.dev',
    NEON_PROXY_URL: '',
    OAUTH_STAND_IN_URL: '',
    PASSKEY_RP_ID: 'social-flow.dev',
    PASSKEY_ORIGINS: 'https://app.social-flow.dev',
    CORS_ORIGINS: 'https://app.social-flow.dev',
    EMAIL_FROM_ADDRESS: 'no-reply@social-flow.dev',
    LIVE_RECORDING_CONFIGURATION_ARN:
      'arn:aws:ivs:eu-west-1:123456789012:recording-configuration/AbCdEf123456',
    MEDIACONVERT_ROLE_ARN: 'arn:aws:iam::123456789012:role/SocialFlowMediaConvert',
    MEDIACONVERT_QUEUE_ARN: 'arn:aws:mediaconvert:eu-central-1:123456789012:queues/Default',
  });
  const send = async (url: string, bindings: ReturnType<typeof testEnv>, init: RequestInit = {}) => {
    const execution = createExecutionContext();
    const request = new Request(url, init) as Parameters<typeof worker.fetch>[0];
    const response = await worker.fetch(request, bindings, execution);
    await waitOnExecutionContext(execution);
    return response;
  };

  it.each(['staging', 'production'])(
    'is refused in %s, not sent on to https, whatever is asked',
    async (name) => {
      const bindings = deployed(name);
      const post = (headers: Record<string, string>, body: string) => ({ method: 'POST', headers, body });
      const json = { 'content-type': 'application/json' };
      for (const [path, init] of [
        ['/livez', {}],
        ['/nowhere', {}],
        ['/v1/me?access_token=sent-in-the-clear', { headers: { authorization: 'Bearer x.y.z' } }],
        ['/v1/auth/login', post(json, '{"identifier":"ada","password":"sent in the clear"}')],
        ['/v1/auth/login', post({ 'content-type': 'text/plain' }, '{')],
        ['/v1/me', { method: 'OPTIONS', headers: { origin: 'https://app.social-flow.dev' } }],
      ] as const) {
        const response = await send(`http://api.test${path}`, bindings, init);
        expect(await problemOf(response), path).toMatchObject({ status: 403, code: 'http.https_required' });
        expect(response.headers.get('location')).toBeNull();
        expect(response.headers.get('access-control-allow-origin')).toBeNull();
      }
      expect((await send('https://api.test/livez', bindings)).status).toBe(200);
      const forged = { headers: { 'x-forwarded-proto': 'https' } };
      expect((await send('http://api.test/livez', bindings, forged)).status).toBe(403);
    },
  );

  it('is taken where people develop and test', async () => {
    for (const name of ['development', 'test'])
      expect((await send('http://api.test/livez', { ...testEnv(env), ENVIRONMENT: name })).status).toBe(200);
  });
});
