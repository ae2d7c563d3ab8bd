import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Certificate } from './certificate.ts';
import { type OnPublish, serveRtmp } from './session.ts';

export type IngestServer = {
  readonly rtmpPort: number;
  readonly rtmpsPort: number;
  close(): Promise<void>;
};

export type IngestServerOptions = {
  ports: { readonly rtmp: number; readonly rtmps: number };
  certificate: Certificate;
  onPublish: OnPublish;
  idleMs: number;
  log: (line: string) => void;
};

const MAX_CONNECTIONS = 200;
const HANDSHAKE_MS = 10_000;

/** Listens on 127.0.0.1 for encoders, with RTMP and with RTMPS. */
export async function startIngestServer(options: IngestServerOptions): Promise<IngestServer> {
  const sockets = new Set<Socket>();
  const accept = (secure: boolean) => (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveRtmp(socket, secure, { ...options, handshakeMs: HANDSHAKE_MS });
  };
  const plain = createServer(accept(false));
  const secure = createTlsServer({ ...options.certificate, handshakeTimeout: HANDSHAKE_MS }, accept(true));
  const raw = new Set<Socket>();
  secure.on('connection', (socket: Socket) => {
    raw.add(socket);
    socket.on('close', () => raw.delete(socket));
  });
  secure.on('tlsClientError', (_error, socket) => socket.destroy());
  for (const server of [plain, secure]) server.maxConnections = MAX_CONNECTIONS;
  const close = async (): Promise<void> => {
    await Promise.all([
      ...[plain, secure].map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
      ...[...sockets, ...raw].map((socket) => socket.destroy()),
    ]);
  };
  try {
    const rtmpPort = await listen(plain, options.ports.rtmp);
    const rtmpsPort = await listen(secure, options.ports.rtmps);
    return { rtmpPort, rtmpsPort, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
