import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Faults } from './faults.ts';
import { urlOf } from './request.ts';

const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * Serves `GET /v2?address=host:port` upgrades: the raw Postgres protocol over binary WebSocket messages, as Neon's proxy does
 * for the driver's Pool and Client. Only our own Postgres can be reached. Returns a function that closes all tunnels.
 */
export function serveTunnels(
  server: Server,
  postgres: { host: string; port: number },
  faults: Faults,
): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: 64 * 1024 * 1024,
  });
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    const refusal = refuse(request, postgres, faults);
    if (refusal !== null) {
      stream.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, stream, head, (socket) => join(socket, postgres));
  });
  return () => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  };
}

function refuse(
  request: IncomingMessage,
  postgres: { host: string; port: number },
  faults: Faults,
): string | null {
  const url = urlOf(request);
  if (url.pathname !== '/v2') return '404 Not Found';
  const address = url.searchParams.get('address');
  if (address !== null && !isOurPostgres(address, postgres)) return '403 Forbidden';
  if (faults.refusesTunnels()) return '503 Service Unavailable';
  return null;
}

function isOurPostgres(address: string, postgres: { host: string; port: number }): boolean {
  const separator = address.lastIndexOf(':');
  const host = address.slice(0, separator).toLowerCase();
  const port = Number(address.slice(separator + 1));
  return port === postgres.port && [postgres.host, 'localhost', '127.0.0.1', '[::1]'].includes(host);
}

function join(socket: WebSocket, postgres: { host: string; port: number }): void {
  const database = connect({ host: postgres.host, port: postgres.port, noDelay: true });

  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (!isBinary) return socket.close(1003, 'only binary messages');
    if (!database.write(data)) socket.pause();
  });
  database.on('drain', () => socket.resume());

  database.on('data', (chunk: Buffer) => {
    socket.send(chunk, () => {
      if (socket.bufferedAmount < MAX_BUFFERED_BYTES) database.resume();
    });
    if (socket.bufferedAmount >= MAX_BUFFERED_BYTES) database.pause();
  });

  socket.on('close', () => database.end());
  socket.on('error', () => database.destroy());
  database.on('error', () => socket.close(1011, 'the database cannot be reached'));
  database.on('close', () => socket.close(1000));
}
