import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { startIvs } from '../../../local-cloud/ivs/index.ts';
import { ACCOUNT, CREDENTIALS, openFolderStore, REGION } from '../mediaconvert/folder-store.ts';

// Runs as a program: `node standalone.ts <data directory> <directory of buckets>`. Prints its addresses.
const [dataDir = '', root = ''] = process.argv.slice(2);
const ivs = await startIvs({
  region: REGION,
  credentials: [CREDENTIALS],
  accountId: ACCOUNT,
  dataDir,
  objectStore: { bucketExists: () => true, putFile: openFolderStore(root).putFile },
  ffmpeg: await locateFfmpeg(),
  emit: async () => {},
  ports: { rtmp: 0, rtmps: 0, playback: 0 },
});
const server = createServer((request, response) => void ivs.handle(request, response));
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  console.log(JSON.stringify({ url, rtmpPort: ivs.rtmpPort, rtmpsPort: ivs.rtmpsPort }));
});
