import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { responseLength } from './response-length.ts';

// A load generator for machines without wrk: `loader.ts <port> <requests file> <connections> <seconds>`. It writes requests
// made beforehand to plain sockets, since Node's HTTP client would be busier than the server it is to keep busy.
const [port = 0, , connections = 1, seconds = 1] = process.argv.slice(2).map(Number);
const requests = readFileSync(process.argv[3] ?? '', 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [path = '/', ...headers] = line.split('\t');
    return Buffer.from(
      [`GET ${path} HTTP/1.1`, `host: 127.0.0.1:${port}`, ...headers, '', ''].join('\r\n'),
      'latin1',
    );
  });

const failures = { connect: 0, read: 0, write: 0, status: 0, timeout: 0 };
const timeoutMs = 10_000;
let completed = 0;
let position = 0;
let stopping = false;

function open(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let connected = false;
    let received: Buffer = Buffer.alloc(0);
    const send = (): void => {
      const request = requests[position];
      position = (position + 1) % requests.length;
      if (request !== undefined) socket.write(request);
    };
    socket.setTimeout(timeoutMs, () => {
      failures.timeout += 1;
      socket.destroy();
    });
    socket.on('connect', () => {
      connected = true;
      send();
    });
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = responseLength(received);
      if (length === undefined) return;
      // Without pipelining nothing may follow the answer.
      if (length !== received.length) failures.read += 1;
      if (received.toString('latin1', 9, 12) === '200') completed += 1;
      else failures.status += 1;
      received = Buffer.alloc(0);
      if (stopping) socket.destroy();
      else send();
    });
    socket.on('error', () => {
      failures[connected ? 'read' : 'connect'] += 1;
    });
    socket.on('close', () => {
      sockets.delete(socket);
      if (!stopping) failures.read += 1;
      resolve();
    });
    sockets.add(socket);
  });
}

const sockets = new Set<Socket>();
const startedAt = performance.now();
let endedAt = startedAt;
setTimeout(() => {
  stopping = true;
  endedAt = performance.now();
  for (const socket of sockets) socket.destroy();
}, seconds * 1_000);
await Promise.all(Array.from({ length: connections }, open));
if (!stopping) endedAt = performance.now();
const microseconds = Math.round((endedAt - startedAt) * 1_000);
console.log(`RESULT ${JSON.stringify({ requests: completed, microseconds, ...failures })}`);
process.exit(0);
