import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { locateFfmpeg } from '../../../local-cloud/ffmpeg/index.ts';
import { createMediaConvertHandler } from '../../../local-cloud/mediaconvert/index.ts';
import { ACCOUNT, CREDENTIALS, openFolderStore, REGION } from './folder-store.ts';

// Runs as a program: `node standalone.ts <data directory> <directory of buckets>`. Prints its address.
const [dataDir = '', root = ''] = process.argv.slice(2);
const handler = createMediaConvertHandler({
  region: REGION,
  credentials: [CREDENTIALS],
  accountId: ACCOUNT,
  objectStore: openFolderStore(root),
  ffmpeg: await locateFfmpeg(),
  emit: async () => {},
  preset: 'slower',
  dataDir,
});
const server = createServer((request, response) => void handler.handle(request, response));
server.listen(0, '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
