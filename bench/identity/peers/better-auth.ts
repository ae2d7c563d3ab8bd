import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import pg from 'pg';
import { kdf } from '../workload.ts';

// better-auth with e-mail and password on the same Postgres and with the same KDF; its own limits off, as ours are.
const derive = (password: string, salt: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(password, salt, 32, kdf, (error, key) => (error === null ? resolve(key) : reject(error))),
  );

const options = {
  baseURL: 'http://127.0.0.1',
  secret: randomBytes(32).toString('hex'),
  database: new pg.Pool({ connectionString: process.env.PEER_DATABASE_URL, max: 8 }),
  rateLimit: { enabled: false },
  advanced: { disableCSRFCheck: true, disableOriginCheck: true },
  telemetry: { enabled: false },
  emailAndPassword: {
    enabled: true,
    password: {
      hash: async (password: string) => {
        const salt = randomBytes(16);
        return `${salt.toString('hex')}:${(await derive(password, salt)).toString('hex')}`;
      },
      verify: async ({ hash, password }: { hash: string; password: string }) => {
        const [salt = '', key = ''] = hash.split(':');
        return timingSafeEqual(await derive(password, Buffer.from(salt, 'hex')), Buffer.from(key, 'hex'));
      },
    },
  },
};

await (await getMigrations(options)).runMigrations();
const server = createServer(toNodeHandler(betterAuth(options)));
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
