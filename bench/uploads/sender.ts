import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { responseLength } from '../load/response-length.ts';
import type { Sent } from './workload.ts';

// Sends each request of a file once and writes the bodies of the answers, in order, into another:
// `sender.ts <port> <requests file> <answers file> <connections>`. Made beforehand and on plain sockets, as by the loader.
const [port = 0, , , connections = 1] = process.argv.slice(2).map(Number);
const [, requestsFile = '', answersFile = ''] = process.argv.slice(2);
const requests = (JSON.parse(readFileSync(requestsFile, 'utf8')) as Sent[]).map(
  ({ method, path, headers, body }) =>
    Buffer.from(
      [
        `${method} ${path} HTTP/1.1`,
        `host: 127.0.0.1:${port}`,
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        `content-length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    ),
);
const answers = new Array<string>(requests.length).fill('');
let next = 0;
let refused: string | undefined;

/** One connection, each request after the answer to the last. */
const work = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received: Buffer = Buffer.alloc(0);
    let index = -1;
    const send = (): void => {
      const request = requests[next];
      if (request === undefined || refused !== undefined) {
        socket.destroy();
        resolve();
        return;
      }
      index = next;
      next += 1;
      socket.write(request);
    };
    socket.setTimeout(30_000, () => reject(new Error('no answer in 30 s')));
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('end', () => reject(new Error('the server closed a connection')));
    socket.on('data', (chunk) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = responseLength(received);
      if (length === undefined) return;
      const text = received.toString('utf8');
      received = Buffer.alloc(0);
      if (!/^HTTP\/1\.1 20[01] /.test(text)) refused ??= text.slice(0, 2_000);
      answers[index] = text;
      send();
    });
  });

const startedAt = performance.now();
await Promise.all(Array.from({ length: Math.min(connections, requests.length) }, work));
const microseconds = Math.round((performance.now() - startedAt) * 1_000);
if (refused !== undefined) throw new Error(`refused: ${refused}`);
writeFileSync(answersFile, JSON.stringify(answers.map(bodyOf)), { mode: 0o600 });
console.log(JSON.stringify({ requests: requests.length, microseconds }));

/** The JSON in an answer, whole or in chunks: it has no line breaks. */
function bodyOf(answer: string): string {
  const start = answer.indexOf('\r\n\r\n') + 4;
  if (!/\r\ntransfer-encoding: *chunked/i.test(answer.slice(0, start))) return answer.slice(start);
  const lines = answer.slice(start).split('\r\n');
  return lines.filter((_, position) => position % 2 === 1).join('');
}
