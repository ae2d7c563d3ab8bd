import type { RequestContext } from '../../../context.ts';
import { presignObject } from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { open } from '../../../shared/crypto/envelope.ts';
import { fromHex, fromUtf8 } from '../../../shared/encoding.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { exportDisposition, maxExportAttempts, readme } from '../exports.policy.ts';
import { claimExport, type ExportRun, failExport, finishExport, keepExport } from '../exports.repository.ts';
import { type ExportSection, exportSections } from '../personal-data.policy.ts';
import { listExportedRows, listOwnFiles } from '../personal-data.repository.ts';
import { failureOf } from './erase-accounts.ts';
import { openZipUpload, type ZipUpload } from './zip-upload.ts';

const claimMs = 300_000;
const pageRows = 500;
const mediaLinkSeconds = 86_400;
const dayMs = 86_400_000;

/** The run lost its export: to another run after a long pause, or because the account was erased. */
class ExportLost extends Error {}

/**
 * Makes an export. One run at a time holds it, so a message that comes twice makes one; a run that was cut off is done again
 * from the beginning and replaces what it left. After some failures the export is given up with the reason.
 * @throws whatever failed, for the queue to try again.
 */
export async function buildExport(
  ctx: RequestContext,
  { data }: MessageOf<'account.export_requested'>,
): Promise<void> {
  const { primary } = ctx.databases;
  const run: ExportRun = { exportId: data.export_id, userId: data.user_id, runId: crypto.randomUUID() };
  const nowMs = ctx.clock.now();
  const claimed = await claimExport(primary, run, isoOf(nowMs), isoOf(nowMs + claimMs));
  if (claimed === undefined) return;
  let zip: ZipUpload | undefined;
  try {
    zip = await openZipUpload(ctx.config.aws, {
      bucket: ctx.config.aws.uploadsBucket,
      key: claimed.objectKey,
      contentDisposition: exportDisposition(isoOf(nowMs)),
      nowMs,
    });
    await writeSections(ctx, run, zip);
    const sizeBytes = await zip.finish();
    zip = undefined;
    await finish(ctx, run, sizeBytes);
  } catch (error) {
    await zip?.abort().catch(() => undefined);
    if (error instanceof ExportLost) return;
    const over = claimed.attempts >= maxExportAttempts;
    const code = failureOf(error);
    ctx.log.log('error', 'export.failed', {
      user_id: run.userId,
      attempts: claimed.attempts,
      failure_code: code,
    });
    const failedMs = ctx.clock.now();
    const expiresAt = isoOf(failedMs + ctx.config.accounts.exportRetentionDays * dayMs);
    await failExport(primary, run, { code, now: isoOf(failedMs), expiresAt: over ? expiresAt : undefined });
    if (!over) throw error;
  }
}

async function finish(ctx: RequestContext, run: ExportRun, sizeBytes: number): Promise<void> {
  const notice = newSecurityNotice(ctx, { userId: run.userId, notice: 'export_ready' });
  const nowMs = ctx.clock.now();
  const done = {
    sizeBytes,
    now: isoOf(nowMs),
    expiresAt: isoOf(nowMs + ctx.config.accounts.exportRetentionDays * dayMs),
  };
  if (!(await finishExport(ctx.databases.primary, run, done, notice))) throw new ExportLost();
  publishAfterResponse(ctx, [notice.id]);
}

async function writeSections(ctx: RequestContext, run: ExportRun, zip: ZipUpload): Promise<void> {
  const nowMs = ctx.clock.now();
  const files = [...exportSections.map(({ file }) => `${file}.jsonl`), 'media.jsonl'];
  let username = '';
  for (const [index, section] of exportSections.entries()) {
    const db = section.database === 'primary' ? ctx.databases.primary : ctx.databases.shardOf(run.userId);
    zip.begin(`${section.file}.jsonl`);
    for (let after: string | undefined; ; ) {
      const rows = await listExportedRows(db, section, run.userId, { after, limit: pageRows });
      for (const { line } of rows) await zip.write(`${await inClear(ctx, section, line)}\n`);
      if (section.file === 'account') username = nameIn(rows[0]?.line);
      after = rows.at(-1)?.key;
      if (rows.length < pageRows) break;
      await keep(ctx, run, index);
    }
    await keep(ctx, run, index + 1);
  }
  zip.begin('media.jsonl');
  const links = { ttlSeconds: mediaLinkSeconds, nowMs };
  for (let after: string | undefined; ; ) {
    const owned = await listOwnFiles(ctx.databases.primary, run.userId, { after, limit: pageRows });
    for (const { videoId, title, fileName, objectKey } of owned) {
      const place = { bucket: ctx.config.aws.uploadsBucket, key: objectKey };
      const url = await presignObject(ctx.config.aws, place, links);
      await zip.write(`${JSON.stringify({ video_id: videoId, title, file_name: fileName, url })}\n`);
    }
    after = owned.at(-1)?.key;
    if (owned.length < pageRows) break;
    await keep(ctx, run, exportSections.length);
  }
  zip.begin('README.txt');
  const linksUntil = isoOf(nowMs + mediaLinkSeconds * 1_000);
  await zip.write(readme({ username, madeAt: isoOf(nowMs), files, linksUntil }));
}

async function keep(ctx: RequestContext, run: ExportRun, sectionsDone: number): Promise<void> {
  const percent = Math.min(99, Math.floor((100 * sectionsDone) / (exportSections.length + 1)));
  if (!(await keepExport(ctx.databases.primary, run, percent, isoOf(ctx.clock.now() + claimMs))))
    throw new ExportLost();
}

/** The line with what the section says is sealed in it in clear; null where it cannot be read. */
async function inClear(
  ctx: RequestContext,
  { table, opened }: ExportSection & { readonly table: string },
  line: string,
): Promise<string> {
  if (opened === undefined) return line;
  const {
    [opened.column]: sealed,
    [opened.rowId]: rowId,
    ...row
  } = JSON.parse(line) as Record<string, unknown>;
  const place = { table, column: opened.column, rowId: String(rowId) };
  // Postgres writes bytes as \x and hexadecimal digits.
  const bytes = await open(ctx.config.encryption, fromHex(String(sealed).slice(2)), place);
  if (bytes === undefined) ctx.log.log('error', 'export.value_unreadable', { object: table });
  return JSON.stringify({ [opened.as]: bytes === undefined ? null : fromUtf8(bytes), ...row });
}

const nameIn = (line: string | undefined): string => {
  const row: unknown = line === undefined ? undefined : JSON.parse(line);
  return typeof row === 'object' && row !== null && 'username' in row ? String(row.username) : '';
};

const isoOf = (unixMs: number): string => new Date(unixMs).toISOString();
