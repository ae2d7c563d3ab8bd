import { startS3Server } from '../../../../local-cloud/s3/server.ts';
import { ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY } from './sign.ts';

/** A server in a process of its own, so that a test can measure its memory and nothing else. */
const [dataDir = '', bucket = ''] = process.argv.slice(2);
const server = await startS3Server({
  port: 0,
  dataDir,
  region: REGION,
  credentials: [{ accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY }],
  buckets: [{ name: bucket }],
});
let peakBytes = process.memoryUsage.rss();
setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}, 10).unref();
process.on('message', () => process.send?.({ peakBytes }));
process.on('disconnect', () => process.exit(0));
process.send?.({ port: server.port, peakBytes });
