import { createHash } from 'node:crypto';
import type pg from 'pg';

/** A place in the chain that was noted elsewhere, such as the log line `audit.sealed`. */
export interface Anchor {
  readonly seq: number;
  /** 64 hex digits. */
  readonly hash: string;
}

export interface ChainReport {
  /** What is wrong with the first entry that is; undefined when everything holds. */
  readonly problem: string | undefined;
  readonly sealed: number;
  readonly head: Anchor | undefined;
  /** Entries that wait to be sealed, and how long the oldest has waited. */
  readonly waiting: number;
  readonly waitingSeconds: number;
  /** Entries whose address and user agent were erased. */
  readonly erased: number;
  /** Entries of archived months, of which only the seals are left. */
  readonly retired: number;
}

interface EntryRow {
  readonly seq: string | null;
  readonly audit_id: string;
  readonly month: string;
  readonly content_hash: Buffer;
  readonly hash: Buffer;
  /** What the entry's hash covers, in order; null when there is no such entry. */
  readonly parts: (string | null)[] | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly origin_salt: Buffer | null;
  readonly origin_commitment: Buffer | null;
}

const pageSize = 5_000;

const sealColumns = `audit_id, to_char(audit_created_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, seal.content_hash`;
const entryColumns = `CASE WHEN entry.id IS NOT NULL THEN ARRAY[entry.id::text,
    to_char(entry.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), entry.actor_kind, entry.actor_id,
    entry.action, entry.target_kind, entry.target_id, entry.outcome, entry.country, entry.request_id, entry.detail::text,
    encode(entry.origin_commitment, 'hex')] END AS parts,
  text(entry.ip) AS ip, entry.user_agent, entry.origin_salt, entry.origin_commitment`;
const entryOfSeal = `LEFT JOIN audit_log AS entry ON entry.id = audit_id AND entry.created_at = audit_created_at`;

/**
 * Follows the chain of `audit_seals` from its beginning and holds every entry of the audit log against it, in one snapshot.
 * The hashes are computed here and not by the functions in the database, which whoever tampers may have changed too.
 * @param client connected as the owner, who may read the chain.
 */
export async function verifyAuditChain(
  client: pg.Client,
  options: {
    readonly anchors?: readonly Anchor[];
    readonly onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<ChainReport> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return await verify(client, options.anchors ?? [], options.onProgress ?? (() => undefined));
  } finally {
    await client.query('ROLLBACK');
  }
}

async function verify(
  client: pg.Client,
  anchors: readonly Anchor[],
  onProgress: (done: number, total: number) => void,
): Promise<ChainReport> {
  const [counts] = (
    await client.query<{ sealed: number; waiting: number; seconds: number }>(`
      SELECT (SELECT count(*)::float8 FROM audit_seals) AS sealed, (SELECT count(*)::float8 FROM audit_pending) AS waiting,
        coalesce((SELECT extract(epoch FROM now() - min(audit_created_at)) FROM audit_pending), 0)::float8 AS seconds`)
  ).rows;
  const total = counts?.sealed ?? 0;
  const retired = new Map(
    (
      await client.query<{ month: string; entries: number }>(
        `SELECT to_char(month, 'YYYY-MM') AS month, entries::float8 AS entries FROM audit_retirements`,
      )
    ).rows.map(({ month, entries }) => [month, { entries, seen: 0 }]),
  );
  let seq = 0;
  let hash: Buffer = Buffer.alloc(32);
  let erased = 0;
  const report = (problem: string | undefined): ChainReport => ({
    problem,
    sealed: seq,
    head: seq === 0 ? undefined : { seq, hash: hash.toString('hex') },
    waiting: counts?.waiting ?? 0,
    waitingSeconds: counts?.seconds ?? 0,
    erased,
    retired: [...retired.values()].reduce((sum, { seen }) => sum + seen, 0),
  });

  for (;;) {
    const { rows } = await client.query<EntryRow>(
      `SELECT seq, ${sealColumns}, hash, ${entryColumns} FROM audit_seals AS seal ${entryOfSeal}
       WHERE seq > $1 ORDER BY seq LIMIT ${pageSize}`,
      [seq],
    );
    for (const row of rows) {
      const next = seq + 1;
      if (Number(row.seq) !== next) return report(`seal ${next} is missing: the chain goes on at ${row.seq}`);
      const expected = chained(hash, next, row.content_hash);
      if (!expected.equals(row.hash))
        return report(
          `seal ${next} (entry ${row.audit_id}) does not follow from the one before: it was changed, put in between or moved`,
        );
      const month = row.parts === null ? retired.get(row.month) : undefined;
      if (month !== undefined) month.seen += 1;
      else {
        const problem = problemOf(row);
        if (problem !== undefined) return report(`entry ${row.audit_id} (seal ${next}) ${problem}`);
      }
      if (row.origin_commitment !== null && row.origin_salt === null) erased += 1;
      seq = next;
      hash = row.hash;
      const anchor = anchors.find((candidate) => candidate.seq === seq);
      if (anchor !== undefined && anchor.hash.toLowerCase() !== hash.toString('hex'))
        return report(`seal ${seq} is not the one the anchor names: the chain was written anew`);
    }
    onProgress(seq, total);
    if (rows.length < pageSize) break;
  }
  const beyond = anchors.find((anchor) => anchor.seq > seq);
  if (beyond !== undefined)
    return report(`the chain ends at seal ${seq}, before the anchor ${beyond.seq}: its tail was cut off`);
  for (const [month, { entries, seen }] of retired)
    if (seen !== entries)
      return report(`${seen} entries of the archived month ${month} have seals, ${entries} were archived`);
  return report((await waitingProblem(client)) ?? (await strayProblem(client)));
}

/** What is wrong with entries that wait for their seal: their hash was taken when they were written. */
async function waitingProblem(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<EntryRow>(
    `SELECT NULL AS seq, ${sealColumns}, ${entryColumns} FROM audit_pending AS seal ${entryOfSeal} ORDER BY position`,
  );
  for (const row of rows) {
    const problem = problemOf(row);
    if (problem !== undefined) return `entry ${row.audit_id} (not sealed yet) ${problem}`;
  }
  return undefined;
}

/** An entry the chain does not know and nothing is about to add. */
async function strayProblem(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>(`
    SELECT entry.id FROM audit_log AS entry
    WHERE NOT EXISTS (SELECT FROM audit_seals AS seal WHERE seal.audit_id = entry.id AND seal.audit_created_at = entry.created_at)
      AND NOT EXISTS (SELECT FROM audit_pending AS seal WHERE seal.audit_id = entry.id AND seal.audit_created_at = entry.created_at)
    ORDER BY entry.created_at, entry.id LIMIT 1`);
  return rows[0] === undefined ? undefined : `entry ${rows[0].id} is not in the chain: it was put in past it`;
}

function problemOf(row: EntryRow): string | undefined {
  if (row.parts === null) return 'was deleted';
  const content = `audit.v1,${row.parts.map(part).join('')}`;
  if (!sha256(Buffer.from(content)).equals(row.content_hash)) return 'was changed';
  const known = row.ip !== null || row.user_agent !== null;
  if (row.origin_salt === null) return known ? 'got an address or user agent later' : undefined;
  const origin = sha256(Buffer.concat([row.origin_salt, Buffer.from(part(row.ip) + part(row.user_agent))]));
  return row.origin_commitment?.equals(origin) === true ? undefined : 'had its address or user agent changed';
}

const part = (value: string | null): string =>
  value === null ? '-,' : `${Buffer.byteLength(value)}:${value},`;

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();

function chained(previous: Buffer, seq: number, contentHash: Buffer): Buffer {
  const position = Buffer.alloc(8);
  position.writeBigInt64BE(BigInt(seq));
  return sha256(Buffer.concat([previous, position, contentHash]));
}
