import { createServer } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

// What a small conventional chat server does: numbers messages in memory and sends them to every socket, gathered for as long as
// ours are. It keeps nothing on disk, checks nothing, and leaves nothing out.

const batchMs = Number(process.argv[2]);
const sockets = new Set<WebSocket>();
let seq = 0;
let waiting: string[] = [];

const flush = (): void => {
  const to = seq;
  const from = to - waiting.length + 1;
  const frame = `{"type":"batch","from":${from},"to":${to},"events":[${waiting.join(',')}]}`;
  waiting = [];
  for (const socket of sockets) socket.send(frame);
};

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => {
    body += part;
  });
  request.on('end', () => {
    const { writer, text } = JSON.parse(body) as { writer: number; text: string };
    seq += 1;
    const event = {
      type: 'message',
      id: `msg_${String(seq).padStart(26, '0')}`,
      author: {
        id: `usr_${String(writer).padStart(26, '0')}`,
        username: `writer${writer}`,
        name: `Writer ${writer}`,
        role: 'viewer',
        member: false,
      },
      fragments: [{ type: 'text', text }],
    };
    waiting.push(JSON.stringify({ seq, at: Date.now(), event }));
    if (batchMs === 0) flush();
    else if (waiting.length === 1) setTimeout(flush, batchMs);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ is_sent: true, message_id: event.id, seq }));
  });
});
const upgrades = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4_096 });
server.on('upgrade', (request, socket, head) =>
  upgrades.handleUpgrade(request, socket, head, (webSocket) => {
    sockets.add(webSocket);
    webSocket.on('close', () => sockets.delete(webSocket));
    webSocket.send(JSON.stringify({ type: 'hello', v: 1, seq }));
  }),
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
});
