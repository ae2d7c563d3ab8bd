import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';

// What workerd on a laptop lets through and production does not, and what no code of the Worker may do.
const root = join(import.meta.dirname, '..', '..');
const sources = ['src', 'durable-objects'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { path: relative(root, path), text: readFileSync(path, 'utf8') };
    }),
);
const using = (pattern: RegExp): string[] =>
  sources
    .filter(({ text }) => pattern.test(text))
    .map(({ path }) => path)
    .sort();
const numberIn = (path: string, name: string): number => {
  const text = readFileSync(join(root, path), 'utf8');
  const [, value = ''] = new RegExp(`const ${name} = ([\\d_* ]+);`).exec(text) ?? [];
  return value
    .replaceAll('_', '')
    .split(/\*\*/)
    .map((factors) => factors.split('*').reduce((product, factor) => product * Number(factor), 1))
    .reduce((base, exponent) => base ** exponent);
};

const built = mkdtempSync(join(tmpdir(), 'social-flow-bundle-'));
afterAll(() => rmSync(built, { recursive: true, force: true }));

describe('the sources', () => {
  it('use no PBKDF2, which production caps at 100,000 iterations and a laptop does not', () => {
    expect(using(/PBKDF2|pbkdf2/)).toEqual([]);
  });

  it('hash passwords within what scrypt may cost: N·r·p of 2^20, and 32 MiB of 128', () => {
    const path = 'src/modules/auth/policy/password-hash.ts';
    expect(numberIn(path, 'maxCost')).toBe(2 ** 20);
    expect(numberIn(path, 'maxMemoryBytes')).toBeLessThanOrEqual(2 ** 25);
    const ofVideos = 'src/modules/videos/usecases/video-password.ts';
    expect(sources.find((source) => source.path === ofVideos)?.text).toContain('maxmem: 2 ** 24');
    expect(using(/\bscrypt(Sync)?\(/)).toEqual([
      'src/modules/auth/usecases/hash-password.ts',
      ofVideos,
      'src/node-compat.d.ts',
    ]);
  });

  it('send queues batches of at most 100 messages and 256 KB', () => {
    expect(numberIn('src/jobs/publish.ts', 'sendBatchLimit')).toBeLessThanOrEqual(100);
    expect(numberIn('src/jobs/publish.ts', 'sendBatchBytes')).toBeLessThanOrEqual(256_000);
    // 100 messages of some 300 bytes each.
    expect(numberIn('durable-objects/view-counter/deliveries.ts', 'tellBatch')).toBeLessThanOrEqual(100);
    expect(using(/\.sendBatch\(|_QUEUE\.send\(/)).toEqual([
      'durable-objects/view-counter/view-counter.ts',
      'src/jobs/publish.ts',
    ]);
  });

  it('attach ids and times to sockets and nothing that grows towards 16 KB', () => {
    const attached = {
      'durable-objects/chat-relay/sockets.ts': 'kept',
      'durable-objects/user-hub/user-hub.ts': '{ sessionId, expiresAtMs, order } satisfies SocketAttachment',
      'durable-objects/view-counter/view-counter.ts':
        '{ endsAtMs: now + liveSeconds * 1_000 } satisfies SocketAttachment',
    };
    expect(using(/\.serializeAttachment\(/)).toEqual(Object.keys(attached));
    for (const [path, value] of Object.entries(attached))
      expect(sources.find((source) => source.path === path)?.text).toContain(`serializeAttachment(${value})`);
    expect(sources.find(({ path }) => path === 'durable-objects/chat-relay/sockets.ts')?.text).toContain(
      'kept: Attachment = { userId, username, session, endsAtMs, keepsOrder, ahead, isLive, visit };',
    );
  });

  it('bind no list of unknown length in a Durable Object, where 100 parameters are the limit', () => {
    const spreads = sources.filter(
      ({ path, text }) => path.startsWith('durable-objects/') && /\.exec\([^;]*\.\.\./.test(text),
    );
    expect(spreads.map(({ path }) => path)).toEqual([]);
  });

  it('puts no value into SQL but as a parameter', () => {
    expect(using(/sql\.raw\(/)).toEqual(['src/modules/accounts/personal-data.repository.ts']);
  });

  it('makes no regular expression and no code out of text', () => {
    expect(using(/\beval\(|new Function\(/)).toEqual([]);
    // Each of these is made of constants, and once, or of a route's own path.
    expect(using(/new RegExp\(/)).toEqual([
      'src/db/read-pin.ts',
      'src/http/methods.ts',
      'src/integrations/aws/xml.ts',
      'src/modules/chat/frames.schemas.ts',
      'src/modules/posts/posts.policy.ts',
      'src/modules/users/users.policy.ts',
      'src/modules/videos/policy/upload-keys.ts',
    ]);
  });

  it('takes randomness from the generator for secrets only', () => {
    // Spreads of times and of load, which are no secrets.
    expect(using(/Math\.random/)).toEqual([
      'src/modules/views/usecases/watch-counts.ts',
      'src/modules/webhook-endpoints/policy/schedule.ts',
      'src/shared/cache/index.ts',
      'src/shared/retry.ts',
    ]);
  });

  it('encrypts with AES-GCM, and hashes with SHA-1 only where a protocol demands it', () => {
    expect(using(/AES-(CBC|CTR|KW)|RSA-OAEP|'MD5'|'md5'/)).toEqual([]);
    expect(using(/'SHA-1'|'sha1'/)).toEqual([
      'src/integrations/breached-passwords/range-api.ts',
      'src/modules/factors/totp.policy.ts',
    ]);
  });

  it('calls the outside only from its integrations', () => {
    const outside = using(/(?<![.\w])fetch\(/).filter((path) => !path.startsWith('src/integrations/'));
    expect(outside.filter((path) => !path.startsWith('durable-objects/'))).toEqual(['src/db/transport.ts']);
  });

  it('follows no redirect of an outside system', () => {
    const following = sources.filter(
      ({ path, text }) =>
        path.startsWith('src/integrations/') &&
        /(?<![.\w])fetch\(/.test(text) &&
        !text.includes("redirect: '"),
    );
    expect(following.map(({ path }) => path)).toEqual([]);
  });

  it('writes to the console through the logger only', () => {
    expect(using(/\bconsole\./)).toEqual(['src/observability/logger.ts']);
  });
});

describe('the API', () => {
  it('takes no secret and no address of a person in a path or query', () => {
    const document = JSON.parse(readFileSync(join(root, 'docs', 'generated', 'openapi.json'), 'utf8')) as {
      paths: Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
    };
    const found = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.values(operations).flatMap(({ parameters = [] }) =>
        parameters
          .filter(
            ({ in: place, name }) =>
              place !== 'header' && /token|password|secret|code|phone|mail|address|number/.test(name),
          )
          .map(({ name }) => `${path} ${name}`),
      ),
    );
    // OAuth puts its one-time code there, bound to a cookie; a confirmation code of Facebook's deletion names no secret.
    expect([...new Set(found)].sort()).toEqual([
      '/v1/auth/oauth/{provider}/callback code',
      '/v1/webhooks/facebook/data-deletion/{code} code',
    ]);
  });
});

describe('the bundle', () => {
  it('bundles no test, no development code and no repository', () => {
    const wrangler = join(root, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
    const run = spawnSync(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', built], {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' },
      encoding: 'utf8',
    });
    expect(run.status, run.stderr).toBe(0);
    const files = readdirSync(built, { recursive: true }).map(String);
    expect(files.filter((file) => /\.git(\/|$)|\.test\./.test(file))).toEqual([]);
    const bundle = readFileSync(join(built, 'index.js'));
    expect(bundle.toString()).not.toMatch(/^\/\/ (test|local-cloud|scripts|bench)\//m);
    // 10 MB compressed is the limit of paid plans; small bundles start fast.
    expect(gzipSync(bundle).length).toBeLessThan(3 * 1_024 * 1_024);
    const assets = readdirSync(join(root, 'dist', 'assets'), { recursive: true }).map(String);
    expect(assets.filter((file) => file.includes('.git'))).toEqual([]);
  });
});
