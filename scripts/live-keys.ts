import { loadEnvironment } from './lib/environment.ts';
import { playbackKeys } from './lib/playback-keys.ts';

const usage = `Usage: npm run -s live:keys [-- list | prune <arn>]
The key that signs playback tokens of live streams, by AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), AWS_REGION
and IVS_ENDPOINT from the environment or .dev.vars. Needs ivs:ImportPlaybackKeyPair, ivs:ListPlaybackKeyPairs and
ivs:DeletePlaybackKeyPair, which the Worker does not. The local cloud's .dev.vars name the local IVS: set IVS_ENDPOINT= for AWS.
  (nothing)  makes a key pair, imports its public half, prints the private one, and on the error output its ARN:
             npm run -s live:keys | npx wrangler secret put LIVE_PLAYBACK_KEY --env production
  list       the pairs IVS knows; it takes three
  prune      deletes all pairs but the one of this ARN. Only ten minutes after the deployment that signs with that one.`;

const environment = loadEnvironment();
const region = environment.AWS_REGION ?? 'us-east-1';
const keys = playbackKeys({
  region,
  endpoint: environment.IVS_ENDPOINT || `https://ivs.${region}.amazonaws.com`,
  accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '',
  secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '',
  sessionToken: environment.AWS_SESSION_TOKEN,
});

async function make(): Promise<void> {
  const { privateKey, arn } = await keys.make(`social-flow-${new Date().toISOString().slice(0, 10)}`);
  console.error(`Imported as ${arn}`);
  console.log(privateKey);
}

async function list(): Promise<void> {
  for (const { arn, name } of await keys.list()) console.log(`${arn} ${name}`);
}

async function prune(kept: string): Promise<void> {
  const pairs = await keys.list();
  // Without the one that signs, nobody could watch any more.
  if (!pairs.some(({ arn }) => arn === kept))
    throw new Error('IVS knows no key pair of this ARN: nothing was deleted.');
  for (const { arn } of pairs.filter((pair) => pair.arn !== kept)) {
    await keys.remove(arn);
    console.log(`deleted ${arn}`);
  }
}

/** What the arguments ask for; undefined for what is not understood. */
function commandOf([name, kept, ...rest]: readonly string[]): (() => Promise<void>) | undefined {
  if (rest.length > 0) return undefined;
  if (name === undefined) return make;
  if (name === 'list' && kept === undefined) return list;
  return name === 'prune' && kept !== undefined ? () => prune(kept) : undefined;
}

const command = commandOf(process.argv.slice(2));
if (command === undefined) {
  console.error(usage);
  process.exitCode = 2;
} else {
  await command().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  });
}
