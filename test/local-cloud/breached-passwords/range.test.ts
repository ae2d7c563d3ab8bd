import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  breachedPasswords,
  startBreachedPasswordsServer,
} from '../../../local-cloud/breached-passwords/server.ts';

// By address, since the Worker's sources are type-checked against workerd's types and this test against Node's.
const { isBreached } = (await import(
  new URL('../../../src/integrations/breached-passwords/index.ts', import.meta.url).href
)) as {
  isBreached(config: { baseUrl: string; timeoutMs: number }, password: string): Promise<boolean | undefined>;
};

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const standIn = async (onRequest?: (request: IncomingMessage) => void): Promise<string> => {
  const server = await startBreachedPasswordsServer({
    port: 0,
    ...(onRequest === undefined ? {} : { onRequest }),
  });
  closers.push(() => server.close());
  return server.url;
};
const service = async (answer: (response: ServerResponse) => void): Promise<string> => {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const ask = (baseUrl: string, password: string, timeoutMs = 1_000) =>
  isBreached({ baseUrl, timeoutMs }, password);
const suffixOf = (password: string): string =>
  createHash('sha1').update(password).digest('hex').toUpperCase().slice(5);

describe('the check of breached passwords', () => {
  it.each(breachedPasswords)('knows %j', async (password) => {
    expect(await ask(await standIn(), password)).toBe(true);
  });

  it.each(['a password nobody had', 'Breached but long enough', '🦉 ünïcode', ''])(
    'does not know %j',
    async (password) => {
      expect(await ask(await standIn(), password)).toBe(false);
    },
  );

  it('tells the service five of forty digits, asks for padding, and nothing else', async () => {
    const seen: IncomingMessage[] = [];
    const url = await standIn((request) => seen.push(request));
    const password = breachedPasswords[0] ?? '';
    await ask(url, password);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.url).toBe(
      `/range/${createHash('sha1').update(password).digest('hex').toUpperCase().slice(0, 5)}`,
    );
    expect(seen[0]?.headers['add-padding']).toBe('true');
    expect(seen[0]?.headers.cookie).toBeUndefined();
    expect(JSON.stringify(seen[0]?.rawHeaders)).not.toContain(suffixOf(password).slice(0, 10));
  });

  it('takes an entry of count 0 for padding', async () => {
    const url = await service((response) => response.end(`${suffixOf('a secret')}:0\r\n${'A'.repeat(35)}:3`));
    expect(await ask(url, 'a secret')).toBe(false);
  });

  it('reads lines that end with LF alone', async () => {
    const url = await service((response) => response.end(`${'A'.repeat(35)}:3\n${suffixOf('a secret')}:12`));
    expect(await ask(url, 'a secret')).toBe(true);
  });

  it.each([
    ['an error', (response: ServerResponse) => void response.writeHead(503).end()],
    ['too many requests', (response: ServerResponse) => void response.writeHead(429).end()],
    [
      'a redirect',
      (response: ServerResponse) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    ],
    ['a broken connection', (response: ServerResponse) => void response.destroy()],
    ['no answer in time', () => undefined],
    ['more than it ever should', (response: ServerResponse) => void response.end('A'.repeat(300_000))],
  ])('gives no answer for %s', async (_, answer) => {
    expect(await ask(await service(answer), 'a secret', 200)).toBeUndefined();
  });

  it('gives no answer when nobody is there', async () => {
    expect(await ask('http://127.0.0.1:9', 'a secret')).toBeUndefined();
  });

  it('is off without an address', async () => {
    expect(await ask('', breachedPasswords[0] ?? '')).toBe(false);
  });
});
