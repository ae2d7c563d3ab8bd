import { parseArgs } from 'node:util';
import pg from 'pg';
import { progressBar } from '../local-cloud/supervisor/status.ts';
import { type Anchor, verifyAuditChain } from './lib/audit-chain.ts';
import { loadEnvironment } from './lib/environment.ts';
import { runScript } from './lib/run-script.ts';

const usage = `Usage: node scripts/audit-verify.ts [--anchor <seq>:<hash>]...
Checks that no entry of the audit log was changed, deleted, put in or moved since it was written. Anchors are heads of the
chain noted earlier, such as audit_seq and audit_hash of the log line audit.sealed: with one, a chain that was cut off or
written anew is found too. Reads DATABASE_OWNER_URL from the environment. Exits with 1 and names the first broken entry.`;

const stalledSeconds = 600;

function anchorOf(text: string): Anchor | undefined {
  const [, seq, hash] = /^([1-9]\d{0,15}):([0-9a-f]{64})$/i.exec(text) ?? [];
  return seq === undefined || hash === undefined ? undefined : { seq: Number(seq), hash };
}

function anchorsOf(args: readonly string[]): Anchor[] | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { anchor: { type: 'string', multiple: true } },
    });
    const anchors = (values.anchor ?? []).map(anchorOf);
    return anchors.every((anchor) => anchor !== undefined) ? anchors : undefined;
  } catch {
    return undefined;
  }
}

const anchors = anchorsOf(process.argv.slice(2));
const { DATABASE_OWNER_URL: connectionString } = loadEnvironment();
if (anchors === undefined || connectionString === undefined) {
  console.error(
    anchors === undefined ? usage : 'DATABASE_OWNER_URL is not set; locally, npm start writes it.',
  );
  process.exit(2);
}

const showProgress = (done: number, total: number): void => {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\u001b[2K  ${progressBar(total === 0 ? 1 : done / total)}  ${done} of ${total}`);
};

await runScript(async () => {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    const report = await verifyAuditChain(client, { anchors, onProgress: showProgress });
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
    if (report.problem !== undefined) {
      console.error(`The audit log does not hold: ${report.problem}.`);
      process.exitCode = 1;
      return;
    }
    console.log(
      `The audit log holds: ${report.sealed} entries sealed, ${report.waiting} waiting, ${report.erased} without their address by now, ${report.retired} archived.`,
    );
    if (report.head !== undefined) console.log(`Head, for --anchor: ${report.head.seq}:${report.head.hash}`);
    if (report.waiting > 0 && report.waitingSeconds > stalledSeconds)
      console.warn(
        `The oldest has waited ${Math.round(report.waitingSeconds / 60)} minutes to be sealed: does the cron job audit.seal run?`,
      );
  } finally {
    await client.end();
  }
});
