import { createHash, randomBytes, randomInt } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type BreachedPasswordsServer = { url: string; port: number; close(): Promise<void> };

/** Passwords the stand-in knows as breached: strong by every other rule, so that the check can be seen at work. */
export const breachedPasswords: readonly string[] = [
  'breached but long enough',
  'tr0ub4dor&3 and friends',
  'hunter2 hunter2 hunter2!',
];

const PADDED_LINES = 800;

/**
 * Starts the stand-in for the range API of Have I Been Pwned: `GET /range/{5 hex digits}` answers suffixes and counts of the
 * passwords it knows among made-up ones, padded with entries of count 0 when asked (`Add-Padding: true`). Loopback only.
 * Rejects when the port is taken.
 * Source: https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange
 */
export async function startBreachedPasswordsServer(options: {
  /** 0 picks a free one. */
  port: number;
  passwords?: readonly string[];
  /** Sees each request, for tests. */
  onRequest?: (request: IncomingMessage) => void;
}): Promise<BreachedPasswordsServer> {
  const known = (options.passwords ?? breachedPasswords).map((password) =>
    createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase(),
  );
  const server = createServer((request, response) => {
    options.onRequest?.(request);
    request.resume();
    const prefix = /^\/range\/([0-9A-Fa-f]{5})$/.exec(request.url ?? '')?.[1]?.toUpperCase();
    if (request.method !== 'GET' || prefix === undefined) {
      response.writeHead(400).end('The hash prefix was not in a valid format');
      return;
    }
    const invented = Array.from({ length: 20 }, () => `${randomSuffix()}:${randomInt(1, 50)}`);
    const found = known
      .filter((hash) => hash.startsWith(prefix))
      .map((hash) => `${hash.slice(5)}:${randomInt(2, 9_000)}`);
    const padding =
      request.headers['add-padding'] === 'true'
        ? Array.from({ length: PADDED_LINES }, () => `${randomSuffix()}:0`)
        : [];
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.end([...invented, ...found, ...padding].sort().join('\r\n'));
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const randomSuffix = (): string => randomBytes(18).toString('hex').toUpperCase().slice(0, 35);
