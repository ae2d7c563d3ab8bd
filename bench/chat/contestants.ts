import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { batchMs } from '../../durable-objects/chat-room/protocol.ts';
import { buildBundle } from '../bundle.ts';
import { serveApp, serveNodeScript, type Workshop } from '../peers.ts';
import { startProcess } from '../processes.ts';
import type { BenchServer } from '../servers.ts';
import { workerSettings } from '../settings.ts';
import { objectConfig } from '../workerd/config.ts';
import { serveWorkerd } from '../workerd/serve.ts';
import { createSigningKey } from '../world/tokens.ts';
import type { CrowdOrder } from './workload.ts';

/** A chat server that is measured. */
export interface Contestant {
  readonly name: string;
  readonly dialect: CrowdOrder['dialect'];
  /** Starts it anew. */
  serve(round: number): Promise<BenchServer>;
}

const nowhere = 'postgres://nobody:nothing@127.0.0.1:1/none';
const nginx = '/usr/sbin/nginx';
const nchanModule = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/** Everybody this machine can run, ours first, and why others are left out. */
export async function contestantsOf(
  workshop: Workshop,
  step: (line: string) => void,
): Promise<{ readonly known: readonly Contestant[]; readonly left: readonly string[] }> {
  step('Bundling the room and its peers...');
  const ours = await bundledRoom(workshop);
  const party = await bundledParty(workshop);
  const node = (name: string, file: string, gatherMs: number, dialect: Contestant['dialect'] = 'plain') => ({
    name: `${name}, ${gatherMs === 0 ? 'one by one' : `gathered ${gatherMs} ms`}`,
    dialect,
    serve: () =>
      serveNodeScript(workshop, file, join(import.meta.dirname, 'peers', `${file}.ts`), {
        args: [String(gatherMs)],
      }),
  });
  const known: Contestant[] = [
    { name: 'ours', dialect: 'room', serve: ours },
    {
      name: `partyserver, gathered ${batchMs} ms`,
      dialect: 'plain',
      serve: (round) => party(batchMs, round),
    },
    { name: 'partyserver, one by one', dialect: 'plain', serve: (round) => party(0, round) },
    node('ws', 'ws-node', batchMs),
    node('ws', 'ws-node', 0),
    node('socket.io', 'socket-io-node', batchMs, 'socket.io'),
    node('socket.io', 'socket-io-node', 0, 'socket.io'),
    node('bare TCP', 'tcp-node', batchMs),
  ];
  if (!existsSync(nginx) || !existsSync(nchanModule))
    return { known, left: ['nchan is not installed (Debian: nginx-light, libnginx-mod-nchan) and left out'] };
  return {
    known: [
      ...known,
      { name: 'nchan, one by one', dialect: 'numbered', serve: (round) => serveNchan(workshop, round) },
    ],
    left: [],
  };
}

async function bundledRoom(workshop: Workshop): Promise<Contestant['serve']> {
  const entry = join('bench', 'chat', 'worker', 'worker.ts');
  const bundle = await buildBundle(workshop.root, join(workshop.directory, 'chat-bundle'), entry);
  const database = { app: nowhere, owner: nowhere };
  const settings = {
    ...workerSettings(
      { primary: { ...database, replica: nowhere }, shards: [database, database] } as unknown as Parameters<
        typeof workerSettings
      >[0],
      createSigningKey(),
    ),
    NEON_PROXY_URL: 'http://127.0.0.1:1',
    LOG_LEVEL: 'silent',
  };
  return (round) => serveApp(workshop, `chat-${round}`, bundle, settings);
}

async function bundledParty({ root, directory, cleanup }: Workshop) {
  const bundle = join(directory, 'party.js');
  await build({
    entryPoints: [join(import.meta.dirname, 'worker', 'party.ts')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
  });
  return (gatherMs: number, round: number): Promise<BenchServer> => {
    const home = join(directory, `party-${gatherMs}-${round}`);
    const objectsDirectory = join(home, 'objects');
    mkdirSync(objectsDirectory, { recursive: true });
    copyFileSync(bundle, join(home, 'worker.js'));
    const config = join(home, 'config.capnp');
    writeFileSync(
      config,
      objectConfig({
        root,
        bundleFile: 'worker.js',
        binding: 'PARTY',
        className: 'Party',
        settings: { BATCH_MS: String(gatherMs) },
        objectsDirectory,
      }),
    );
    return serveWorkerd('partyserver', config, cleanup);
  };
}

/** One nginx process with nchan, which keeps its messages in memory and sends each by itself. */
async function serveNchan({ directory, cleanup }: Workshop, round: number): Promise<BenchServer> {
  const home = join(directory, `nchan-${round}`);
  mkdirSync(home);
  const port = await freePort();
  writeFileSync(
    join(home, 'nginx.conf'),
    `load_module ${nchanModule};
daemon off; master_process off; pid nginx.pid; error_log stderr error; worker_rlimit_nofile 65536;
events { worker_connections 16384; }
http {
  access_log off; client_body_temp_path body; keepalive_requests 1000000;
  nchan_shared_memory_size 128m;
  server {
    listen 127.0.0.1:${port};
    location / {
      nchan_pubsub websocket http; nchan_channel_id room;
      nchan_subscriber_first_message newest; nchan_message_buffer_length 500;
    }
  }
}
`,
  );
  const started = startProcess({
    role: 'server',
    command: nginx,
    args: ['-p', `${home}/`, '-c', 'nginx.conf'],
    stdout: 'ignore',
  });
  cleanup.add(started.stop);
  for (let look = 0; !(await answers(port)); look += 1) {
    if (look === 100) throw new Error(`nchan did not start\n${started.complaints()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { name: 'nchan', pid: started.pid, port, stop: started.stop, complaints: started.complaints };
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.destroy()).once('close', (failed) => resolve(!failed));
    socket.once('error', () => {});
  });
