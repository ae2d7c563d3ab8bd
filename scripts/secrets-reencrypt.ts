import pg from 'pg';
import { progressBar } from '../local-cloud/supervisor/status.ts';
import { encryptionSection } from '../src/config/encryption.config.ts';
import { loadEnvironment } from './lib/environment.ts';
import { reencrypt } from './lib/reencrypt.ts';
import { runScript } from './lib/run-script.ts';

const usage = `Usage: node scripts/secrets-reencrypt.ts [--dry-run]
Seals every secret in the database under the current key (DATA_ENCRYPTION_KEYS, DATA_ENCRYPTION_KEY_VERSION) that is sealed
under an older one. Deploy the new version first; run it again until none is left; then the old key may go. Reads
DATABASE_OWNER_URL. It may be stopped and run again at any time. Exits with 1 while anything is left.`;

const options = process.argv.slice(2);
const { settings } = encryptionSection;
const environment = loadEnvironment();
const keys = settings.keys.schema.safeParse(environment.DATA_ENCRYPTION_KEYS ?? '');
const version = settings.currentVersion.schema.safeParse(
  environment.DATA_ENCRYPTION_KEY_VERSION ?? settings.currentVersion.default,
);
const connectionString = environment.DATABASE_OWNER_URL;
if (
  options.some((option) => option !== '--dry-run') ||
  !keys.success ||
  !version.success ||
  !keys.data.has(version.data) ||
  connectionString === undefined
) {
  console.error(usage);
  process.exit(2);
}
const dryRun = options.includes('--dry-run');
const envelope = { keys: keys.data, currentVersion: version.data };

const showProgress = (done: number, total: number): void => {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\u001b[2K  ${progressBar(total === 0 ? 1 : done / total)}  ${done} of ${total}`);
};

await runScript(async () => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const report = await reencrypt(client, envelope, { dryRun, onProgress: showProgress });
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
    for (const place of report.unreadable) console.error(`${place} opens under none of the keys.`);
    console.log(
      `${report.changed} sealed under key ${envelope.currentVersion}; ${report.left} left under other keys.`,
    );
    if (report.left > 0 && !dryRun) process.exitCode = 1;
  } finally {
    await client.end();
  }
});
