import { createServer } from 'node:net';

/** The preferred port, or the next free one above it, on 127.0.0.1. */
export async function freePort(preferred: number): Promise<number> {
  for (let port = preferred; port < preferred + 200 && port <= 65_535; port += 1)
    if (await isFree(port)) return port;
  throw new Error(
    `no free port found from ${preferred} on; stop what is using them or choose another with --port`,
  );
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
