import type { Socket } from 'node:net';
import { createPeer, listen } from './node-server.ts';

// The floor: each frame is made into bytes once, and written to bare sockets. There is no WebSocket library, and nothing is read.

const sockets = new Set<Socket>();

/** A text frame of a server (RFC 6455 §5.2). */
function framed(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = 0x81;
  if (payload.length < 126) head[1] = payload.length;
  else if (payload.length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

const server = createPeer(Number(process.argv[2]), (frame) => {
  const bytes = framed(frame);
  for (const socket of sockets) socket.write(bytes);
});
server.on('upgrade', (_request, stream) => {
  const socket = stream as Socket;
  socket.setNoDelay(true);
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
  socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n');
});
listen(server);
