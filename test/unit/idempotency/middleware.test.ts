import fc from 'fast-check';
import { HTTPException } from 'hono/http-exception';
import { describe, expect, it } from 'vitest';
import { forbidden, invalidRequest, unavailable } from '../../../src/http/errors.ts';
import { parseIdempotencyKey } from '../../../src/http/idempotency/key.ts';
import { idempotent } from '../../../src/http/idempotency.ts';
import { createSeededIds, uuidTime } from '../../../src/shared/ids.ts';
import { httpApp, httpContext, type LoggedLine, send } from '../../support/worker/http-app.ts';

/** An application that counts effects. `behave` decides what an attempt does after its effect. */
function counterApp(behave: (attempt: number) => Response | Promise<Response> | undefined = () => undefined) {
  const effects: string[] = [];
  const lines: LoggedLine[] = [];
  let userId = crypto.randomUUID();
  const app = httpApp(() =>
    httpContext(
      {
        actor: { kind: 'user', userId, sessionId: '', scopes: [], amr: [], authTime: 0, epoch: 0 },
      },
      lines,
    ),
  );
  app.all('/things/:name', idempotent(), async (c) => {
    const { title = '' } = await c.req.json<{ title?: string }>();
    const id = c.var.ctx.ids.next();
    effects.push(id);
    const special = await behave(effects.length);
    if (special !== undefined) return special;
    c.header('set-cookie', 'secret=1');
    c.header('authorization', 'Bearer secret');
    c.header('location', `/things/${id}`);
    return c.json({ id, title }, 201);
  });
  return {
    effects,
    lines,
    actAs: (id: string) => {
      userId = id;
    },
    post: (key: string | undefined, body: object = { title: 'a' }, path = '/things/x', method = 'POST') =>
      send(app, path, {
        method,
        headers: key === undefined ? {} : { 'idempotency-key': key },
        body: JSON.stringify(body),
      }),
  };
}

const freshKey = () => crypto.randomUUID();
const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('writes under an Idempotency-Key', () => {
  it('take effect once when 50 identical ones arrive together', async () => {
    const { effects, post } = counterApp();
    const key = freshKey();
    const answers = await Promise.all(Array.from({ length: 50 }, () => post(key)));
    expect(effects).toHaveLength(1);
    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].every((status) => status === 201 || status === 409)).toBe(true);
    const waiting = answers.find(({ status }) => status === 409);
    if (waiting !== undefined) {
      expect(Number(waiting.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(await codeOf(waiting)).toBe('idempotency.in_progress');
    }
  });

  it('are answered again with the first answer, marked, without its cookies and tokens', async () => {
    const { effects, post } = counterApp();
    const key = freshKey();
    const first = await post(key);
    const again = await post(key);
    expect(effects).toHaveLength(1);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.status).toBe(201);
    expect(await again.json()).toEqual(await first.json());
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(again.headers.get('set-cookie')).toBeNull();
    expect(again.headers.get('authorization')).toBeNull();
  });

  it('run each time without a key', async () => {
    const { effects, post } = counterApp();
    await post(undefined);
    await post(undefined);
    expect(effects).toHaveLength(2);
  });

  it('are refused when the key comes with another body or query', async () => {
    const { effects, post } = counterApp();
    const key = freshKey();
    await post(key);
    for (const response of [
      await post(key, { title: 'b' }),
      await post(key, { title: 'a' }, '/things/x?draft=1'),
    ]) {
      expect(response.status).toBe(422);
      expect(await codeOf(response)).toBe('idempotency.key_reused');
    }
    expect(effects).toHaveLength(1);
  });

  it('are separate for another user, path or method', async () => {
    const { effects, post, actAs } = counterApp();
    const key = freshKey();
    await post(key);
    await post(key, undefined, '/things/y');
    await post(key, undefined, '/things/x', 'PUT');
    actAs(crypto.randomUUID());
    await post(key);
    expect(effects).toHaveLength(4);
  });

  it('run again with the same ids after a failure that may have acted', async () => {
    const { effects, post } = counterApp((attempt) => {
      if (attempt === 1) throw unavailable();
      if (attempt === 2) throw new Error('crash');
      return undefined;
    });
    const key = freshKey();
    expect((await post(key)).status).toBe(503);
    expect((await post(key)).status).toBe(500);
    expect((await post(key)).status).toBe(201);
    expect(new Set(effects).size).toBe(1);
    expect((await post(key)).headers.get('idempotency-replayed')).toBe('true');
    expect(effects).toHaveLength(3);
  });

  it('may be corrected under the same key after a validation failure', async () => {
    const { post } = counterApp((attempt) => {
      if (attempt === 1) throw invalidRequest();
      if (attempt === 2) throw new HTTPException(400);
      return undefined;
    });
    const key = freshKey();
    expect((await post(key, { title: '' })).status).toBe(422);
    expect((await post(key, { title: '{' })).status).toBe(400);
    expect((await post(key, { title: 'good' })).status).toBe(201);
  });

  it('are refused again in the same words when the state of things refused them', async () => {
    const { effects, post } = counterApp(() => {
      throw forbidden();
    });
    const key = freshKey();
    const first = await post(key);
    const again = await post(key);
    expect(first.status).toBe(403);
    expect(again.status).toBe(403);
    expect(await again.json()).toEqual(await first.json());
    expect(again.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(effects).toHaveLength(1);
  });

  it('keep answers without a body', async () => {
    const { post } = counterApp(() => new Response(null, { status: 204 }));
    const key = freshKey();
    await post(key);
    const again = await post(key);
    expect(again.status).toBe(204);
    expect(await again.text()).toBe('');
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('are refused when the records cannot be reached: once was asked for', async () => {
    const lines: LoggedLine[] = [];
    const broken = { getByName: () => ({ begin: () => Promise.reject(new Error('gone')) }) };
    const context = httpContext({}, lines);
    const app = httpApp(() => ({
      ...context,
      bindings: {
        ...context.bindings,
        IDEMPOTENCY: broken as unknown as typeof context.bindings.IDEMPOTENCY,
      },
    }));
    let ran = false;
    app.post('/', idempotent(), (c) => {
      ran = true;
      return c.json({});
    });
    const response = await send(app, '/', {
      method: 'POST',
      headers: { 'idempotency-key': 'k' },
      body: '{}',
    });
    expect(response.status).toBe(503);
    expect(ran).toBe(false);
    expect(lines.map(({ event }) => event)).toContain('idempotency.unreachable');
  });

  it('are refused with a malformed key', async () => {
    const { effects, post } = counterApp();
    for (const key of ['"unterminated', 'k'.repeat(256), '""']) {
      const response = await post(key);
      expect(response.status).toBe(400);
      expect(await codeOf(response)).toBe('idempotency.key_invalid');
    }
    expect(effects).toHaveLength(0);
  });
});

describe('the Idempotency-Key field', () => {
  it('is taken quoted as a structured field or bare, and means the same', () => {
    expect(parseIdempotencyKey('"8e03978e-40d5-43dd-bc93-6894a57f9324"')).toBe(
      '8e03978e-40d5-43dd-bc93-6894a57f9324',
    );
    expect(parseIdempotencyKey('8e03978e-40d5-43dd-bc93-6894a57f9324')).toBe(
      '8e03978e-40d5-43dd-bc93-6894a57f9324',
    );
    expect(parseIdempotencyKey('"a\\"b\\\\c"')).toBe('a"b\\c');
  });

  it('is refused when empty, too long, not printable or badly quoted', () => {
    for (const field of ['', ' ', '""', '"a', '"a\\x"', '"a"b"', 'a\tb', 'ключ', 'k'.repeat(256)])
      expect(parseIdempotencyKey(field)).toBeUndefined();
    expect(parseIdempotencyKey('k'.repeat(255))).toHaveLength(255);
  });
});

describe('ids from a seed', () => {
  const seeds = fc
    .tuple(fc.integer({ min: 0, max: 2 ** 46 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
    .map(
      ([time, entropy]) =>
        `${time}.${Array.from(entropy, (byte) => byte.toString(16).padStart(2, '0')).join('')}`,
    );

  it('come out the same each time, unique, in order, as UUIDv7 of the seed’s moment', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [one, two] = [createSeededIds(seed), createSeededIds(seed)];
        const ids = Array.from({ length: 300 }, () => one.next());
        expect(Array.from({ length: 300 }, () => two.next())).toEqual(ids);
        expect(new Set(ids).size).toBe(300);
        expect([...ids].sort()).toEqual(ids);
        for (const id of ids) {
          expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
          expect(uuidTime(id)).toBe(Number(seed.split('.')[0]));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are refused for a malformed seed', () => {
    for (const seed of ['', 'x.y', '1.', '1.abc', '-1.00000000000000000000'])
      expect(() => createSeededIds(seed)).toThrow(RangeError);
  });
});
