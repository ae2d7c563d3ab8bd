import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rotateKeys, type SigningKey } from '../../scripts/lib/signing-keys.ts';

const script = join(import.meta.dirname, '..', '..', 'scripts', 'rotate-keys.ts');

const run = (keys: readonly object[] | string, ...options: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options], {
    env: {
      ...process.env,
      ACCESS_TOKEN_KEYS: typeof keys === 'string' ? keys : JSON.stringify(keys),
      ACCESS_TOKEN_TTL_SECONDS: '1800',
    },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

const rules = { tokenTtlSeconds: 1_800, force: false };
const madeAt = (nowMs: number): SigningKey => rotateKeys([], { ...rules, nowMs })[0];
const minuteMs = 60_000;

describe('keys:rotate', () => {
  it('prints a new key first and the one that signed until now second, and nothing else', () => {
    const old = madeAt(Date.now() - minuteMs);
    const { status, stdout } = run([old]);
    expect(status).toBe(0);
    const keys = JSON.parse(stdout) as SigningKey[];
    expect(keys.map(({ kid }) => kid)).toEqual([
      expect.stringMatching(/^k\d{8}T\d{6}Z-[0-9a-f]{8}$/),
      old.kid,
    ]);
    expect(keys[1]).toEqual(old);
    expect(keys[0]).toMatchObject({ kty: 'OKP', crv: 'Ed25519' });
    expect(keys[0]?.d).not.toBe(old.d);
    expect(stdout.trim().split('\n')).toHaveLength(1);
  });

  it('refuses to drop a key while its tokens may live, and drops it with --force', () => {
    const [old, signing] = [madeAt(Date.now() - 90 * minuteMs), madeAt(Date.now() - 20 * minuteMs)];
    const refused = run([signing, old]);
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toContain(old.kid);
    expect(refused.stderr).not.toContain(old.d);
    const forced = run([signing, old], '--force');
    expect(forced.status).toBe(0);
    expect((JSON.parse(forced.stdout) as SigningKey[])[1]).toEqual(signing);
  });

  it('drops a key once its last token has expired', () => {
    const [old, signing] = [madeAt(Date.now() - 90 * minuteMs), madeAt(Date.now() - 36 * minuteMs)];
    const { status, stdout } = run([signing, old]);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as SigningKey[])[1]).toEqual(signing);
  });

  it('counts from when the key after it was made, to the second', () => {
    const nowMs = Date.UTC(2026, 0, 31, 23, 59, 59);
    const keys = [madeAt(nowMs), madeAt(nowMs - 90 * minuteMs)];
    const untilMs = nowMs + (1_800 + 300) * 1_000;
    expect(() => rotateKeys(keys, { ...rules, nowMs: untilMs - 1 })).toThrow('2026-02-01T00:34:59.000Z');
    expect(rotateKeys(keys, { ...rules, nowMs: untilMs })[1]).toEqual(keys[0]);
  });

  it('refuses to drop a key when it cannot tell how old the other is', () => {
    const keys = [{ ...madeAt(0), kid: 'production-2' }, madeAt(0)];
    expect(run(keys)).toMatchObject({ status: 1, stdout: '' });
    expect(run(keys, '--force').status).toBe(0);
  });

  it.each([['{'], ['[]'], ['[{"kty":"RSA"}]'], ['']])('refuses %j for keys', (keys) => {
    expect(run(keys)).toMatchObject({ status: 2, stdout: '' });
  });

  it('refuses options it does not know', () => {
    expect(run([madeAt(0)], '--farce')).toMatchObject({ status: 2, stdout: '' });
  });
});
