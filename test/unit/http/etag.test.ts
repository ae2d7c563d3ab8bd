import { describe, expect, it } from 'vitest';
import { notFound } from '../../../src/http/errors.ts';
import { matchesEtag, weakEtag, withEtag } from '../../../src/http/etag.ts';
import { httpApp, httpContext, send } from '../../support/worker/http-app.ts';

function appWith(body: () => object, version?: string) {
  const app = httpApp(() => httpContext());
  app.use('*', withEtag());
  app.all('/', (c) => {
    if (version !== undefined) c.header('etag', weakEtag(version));
    c.header('x-other', 'kept');
    return c.json(body());
  });
  app.get('/missing', () => {
    throw notFound();
  });
  app.get('/public', (c) => {
    c.header('cache-control', 'public, max-age=60');
    return c.json({});
  });
  return app;
}

const get = (app: ReturnType<typeof appWith>, ifNoneMatch?: string, method = 'GET') =>
  send(app, '/', { method, headers: ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch } });

describe('ETags', () => {
  it('let a client that has the current version skip the body', async () => {
    const app = appWith(() => ({ a: 1 }));
    const first = await get(app);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"[\w-]+"$/);
    expect(await first.json()).toEqual({ a: 1 });

    const second = await get(app, etag);
    expect(second.status).toBe(304);
    expect(await second.text()).toBe('');
    expect(second.headers.get('etag')).toBe(etag);
    expect(second.headers.get('x-other')).toBe('kept');
    expect(second.headers.get('cache-control')).toBe('private, no-cache');
    expect(second.headers.get('content-type')).toBeNull();
    expect(second.headers.get('content-length')).toBeNull();
  });

  it('change with the body', async () => {
    let value = 1;
    const app = appWith(() => ({ value }));
    const etag = (await get(app)).headers.get('etag') ?? '';
    value = 2;
    const changed = await get(app, etag);
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  it('are the version the handler gave, when it gave one', async () => {
    const app = appWith(() => ({}), 'video 7 "x"');
    expect((await get(app)).headers.get('etag')).toBe('W/"video_7__x_"');
    expect((await get(app, 'W/"video_7__x_"')).status).toBe(304);
  });

  it('work for HEAD and not for writes or failures', async () => {
    const app = appWith(() => ({}));
    const etag = (await get(app)).headers.get('etag') ?? '';
    expect((await get(app, etag, 'HEAD')).status).toBe(304);
    const written = await get(app, etag, 'POST');
    expect(written.status).toBe(200);
    expect(written.headers.get('etag')).toBeNull();
    const missing = await send(app, '/missing', { headers: { 'if-none-match': '*' } });
    expect(missing.status).toBe(404);
    expect(missing.headers.get('etag')).toBeNull();
  });

  it('leave a Cache-Control of the handler alone', async () => {
    const response = await send(
      appWith(() => ({})),
      '/public',
    );
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
  });
});

describe('If-None-Match', () => {
  it('compares weakly and takes lists and the star', () => {
    for (const field of ['W/"a"', '"a"', '"b", W/"a"', '"b","a"', '*', ' * '])
      expect(matchesEtag(field, 'W/"a"')).toBe(true);
    for (const field of ['"b"', 'a', '""', '', 'W/"A"', '"a', undefined])
      expect(matchesEtag(field, 'W/"a"')).toBe(false);
    expect(matchesEtag('"x, y"', '"x, y"')).toBe(false);
  });
});
