import { scrypt } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { kdf } from '../workload.ts';

// Nothing but the KDF, in Node, on its threads.
const server = createServer((_, response) => {
  scrypt('a password of good length', Buffer.alloc(16), 32, kdf, () => response.end('ok'));
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
