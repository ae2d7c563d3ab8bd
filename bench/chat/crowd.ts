import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createNumbering } from './peers/numbered.ts';
import type { CrowdOrder, CrowdReport } from './workload.ts';

// Thousands of WebSockets in one process, as bare as they can be: what is measured is the server.

const order = JSON.parse(process.argv[2] ?? '{}') as CrowdOrder;

let connected = 0;
let frames = 0;
let bytes = 0;
let deliveries = 0;
let omitted = 0;
let faults = 0;
let closed = 0;
let isOver = false;
const lags: number[] = [];
const lasts: (number | undefined)[] = [];

const isSocketIo = order.dialect === 'socket.io';
const path = isSocketIo ? '/socket.io/?EIO=4&transport=websocket' : '/';
const opening = isSocketIo ? '42["batch",'.length : 0;

const head = (text: string): { from: number; to: number } | undefined => {
  const match = /^\{"type":"batch","from":(\d+),"to":(\d+),/.exec(text);
  return match === null ? undefined : { from: Number(match[1]), to: Number(match[2]) };
};

function takeFrame(index: number, payload: Buffer): void {
  frames += 1;
  bytes += payload.length;
  const run = head(payload.toString('latin1', opening, opening + 80));
  if (run === undefined) return;
  const last = lasts[index];
  if (last !== undefined && run.from !== last + 1) faults += 1;
  lasts[index] = run.to;
  // The insides are the same for all who are not spoken to: every hundredth socket looks.
  if (index % 100 !== 0) return;
  const now = Date.now();
  const frame = JSON.parse(
    payload.toString('utf8', opening, isSocketIo ? payload.length - 1 : payload.length),
  ) as {
    events: { at: number }[];
    omitted?: [number, number][];
  };
  const left = (frame.omitted ?? []).reduce((sum, [first, to]) => sum + to - first + 1, 0);
  deliveries += frame.events.length;
  omitted += left;
  if (frame.events.length + left !== run.to - run.from + 1) faults += 1;
  for (const { at } of frame.events) lags.push(now - at);
}

// https://github.com/socketio/engine.io-protocol: a ping is the text "2", to be answered by "3".
const enginePing = '2'.charCodeAt(0);

/** A short text frame of a client, whose mask of zeros changes nothing. */
const maskedText = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

/** One connection: the handshake, then frames of a server, which are not masked (RFC 6455 §5.2). */
function open(index: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(order.port, '127.0.0.1');
    let waiting: Buffer = Buffer.alloc(0);
    let isOpen = false;
    socket.setNoDelay(true);
    socket.on('error', reject);
    socket.on('close', () => {
      if (!isOver) closed += 1;
    });
    socket.on('connect', () =>
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      ),
    );
    socket.on('data', (data) => {
      waiting = waiting.length === 0 ? data : Buffer.concat([waiting, data]);
      if (!isOpen) {
        const end = waiting.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!waiting.toString('latin1', 0, 12).endsWith('101'))
          return reject(new Error(waiting.toString('latin1', 0, 200)));
        isOpen = true;
        connected += 1;
        waiting = waiting.subarray(end + 4);
        if (isSocketIo) socket.write(maskedText('40'));
        resolve(socket);
      }
      for (;;) {
        if (waiting.length < 2) return;
        const short = (waiting[1] ?? 0) & 0x7f;
        const at = short === 126 ? 4 : short === 127 ? 10 : 2;
        if (waiting.length < at) return;
        const length =
          short === 126
            ? waiting.readUInt16BE(2)
            : short === 127
              ? Number(waiting.readBigUInt64BE(2))
              : short;
        if (waiting.length < at + length) return;
        const payload = waiting.subarray(at, at + length);
        if (isSocketIo && payload[0] === enginePing) socket.write(maskedText('3'));
        else if (((waiting[0] ?? 0) & 0x0f) === 1) takeFrame(index, payload);
        waiting = waiting.subarray(at + length);
      }
    });
  });
}

// Who numbers messages itself must have them arrive in order.
const agent = new Agent({ keepAlive: true, maxSockets: order.dialect === 'numbered' ? 1 : 64 });
const post = (body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request(
      {
        port: order.port,
        host: '127.0.0.1',
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('end', () =>
          response.statusCode !== undefined && response.statusCode < 300
            ? resolve(text)
            : reject(new Error(text)),
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });

/** As docs/chat.md has it. */
const seenMs = 10_000;
const numbering = createNumbering();

/** Says something; a server that does not number what it passes on is given the whole frame. */
async function say(writer: number, text: string): Promise<{ is_sent: boolean; seq?: number }> {
  const body = JSON.stringify({ writer, text });
  if (order.dialect !== 'numbered') return JSON.parse(await post(body));
  const { seq, entry } = numbering.take(body);
  await post(`{"type":"batch","from":${seq},"to":${seq},"events":[${entry}]}`);
  return { is_sent: true, seq };
}

const sockets: Socket[] = [];
for (let from = 0; from < order.sockets; from += 50)
  sockets.push(
    ...(await Promise.all(
      Array.from({ length: Math.min(50, order.sockets - from) }, (_, index) => open(from + index)),
    )),
  );
await new Promise((resolve) => setTimeout(resolve, 1_500));
process.send?.({ ready: connected });
await new Promise((resolve) => process.once('message', resolve));

if (order.dialect === 'room')
  setInterval(() => {
    for (const [index, socket] of sockets.entries())
      socket.write(maskedText(JSON.stringify({ type: 'seen', seq: lasts[index] ?? 0 })));
  }, seenMs).unref();

let accepted = 0;
let dropped = 0;
let failed = 0;
let lastSeq = 0;
[frames, bytes] = [0, 0];
const startedAt = performance.now();
const under: Promise<void>[] = [];
const total = order.messagesPerSecond * order.seconds;
for (let sent = 0; sent < total; ) {
  const due = Math.min(
    total,
    Math.floor(((performance.now() - startedAt) / 1_000) * order.messagesPerSecond),
  );
  for (; sent < due; sent += 1)
    under.push(
      say(sent % order.writers, `message ${sent} of those that are measured`)
        .then(({ is_sent: isSent, seq }) => {
          if (isSent) accepted += 1;
          else dropped += 1;
          lastSeq = Math.max(lastSeq, seq ?? 0);
        })
        .catch(() => {
          failed += 1;
        }),
    );
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await Promise.all(under);
const seconds = (performance.now() - startedAt) / 1_000;
const waitUntil = performance.now() + 30_000;
while (performance.now() < waitUntil && lasts.some((last) => last !== lastSeq))
  await new Promise((resolve) => setTimeout(resolve, 20));
const sorted = lags.toSorted((a, b) => a - b);
const at = (share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
const lookers = Math.ceil(order.sockets / 100);
const report: CrowdReport = {
  connected,
  accepted,
  dropped,
  failed,
  frames,
  bytes,
  deliveries: Math.round((deliveries / lookers) * order.sockets),
  omitted: Math.round((omitted / lookers) * order.sockets),
  faults,
  closed,
  unfinished: Array.from({ length: order.sockets }, (_, index) => lasts[index]).filter(
    (last) => last !== lastSeq,
  ).length,
  lagMs: [at(0.5), at(0.99), at(1)],
  seconds,
};
isOver = true;
process.send?.({ report });
for (const socket of sockets) socket.destroy();
process.disconnect();
