import pg from 'pg';
import type { Lease } from './connections.ts';
import { sqlHttpError, statementError } from './errors.ts';
import { MAX_BODY_BYTES, type SqlOptions, type SqlPayload, type Statement } from './request.ts';
import { textToJson } from './values.ts';

/** Commands that change the session, which the next request on this connection must not inherit. */
const SESSION_COMMANDS = new Set(['SET', 'RESET', 'LISTEN', 'UNLISTEN', 'PREPARE', 'DECLARE', 'LOAD']);

/** Bytes of JSON one response may still hold. */
type Budget = { remainingBytes: number };

/**
 * Runs the request on the leased connection, gives the connection back, and returns the response body.
 * A batch is one transaction: any error rolls all of it back. Throws SqlHttpError.
 */
export async function execute(lease: Lease, payload: SqlPayload, options: SqlOptions): Promise<string> {
  const budget: Budget = { remainingBytes: MAX_BODY_BYTES };
  const commands: string[] = [];
  const run = async (statement: Statement): Promise<string> => {
    const { json, command } = await runStatement(lease, statement, options, budget);
    commands.push(command);
    return json;
  };
  let reusable = true;
  try {
    if (payload.kind === 'single') return await run(payload.statement);
    await lease.client.query(beginStatement(options));
    try {
      const results: string[] = [];
      for (const statement of payload.statements) results.push(await run(statement));
      await lease.client.query('COMMIT');
      return `{"results":[${results.join(',')}]}`;
    } catch (error) {
      await lease.client.query('ROLLBACK').catch(() => {
        reusable = false;
      });
      throw error;
    }
  } catch (error) {
    reusable &&= error instanceof pg.DatabaseError;
    throw statementError(error);
  } finally {
    void giveBack(lease, reusable, commands);
  }
}

async function giveBack(lease: Lease, reusable: boolean, commands: string[]): Promise<void> {
  const isClean = !commands.some((command) => SESSION_COMMANDS.has(command));
  if (!reusable || isClean || lease.client.getTransactionStatus() !== 'I') return lease.release(reusable);
  await lease.client.query('DISCARD ALL').then(
    () => lease.release(true),
    () => lease.release(false),
  );
}

function beginStatement(options: SqlOptions): string {
  const modes: string[] = [];
  if (options.isolationLevel !== null) modes.push(`ISOLATION LEVEL ${options.isolationLevel}`);
  if (options.readOnly) modes.push('READ ONLY');
  if (options.deferrable) modes.push('DEFERRABLE');
  return `START TRANSACTION ${modes.join(', ')}`.trimEnd();
}

function runStatement(
  lease: Lease,
  statement: Statement,
  options: SqlOptions,
  budget: Budget,
): Promise<{ json: string; command: string }> {
  const arrayMode = statement.arrayMode ?? options.arrayMode;
  // The extended protocol takes one statement only, so text holding several is refused by Postgres itself (42601).
  const config = { text: statement.text, values: statement.params, rowMode: 'array', queryMode: 'extended' };
  return new Promise((resolve, reject) => {
    const query = new pg.Query<(string | null)[]>(config);
    const rows: string[] = [];
    let tooLarge = false;
    query.on('row', (row: (string | null)[], result: pg.QueryResultBase | undefined) => {
      if (tooLarge) return;
      const json = rowToJson(row, result?.fields ?? [], options.rawText, arrayMode);
      budget.remainingBytes -= Buffer.byteLength(json) + 1;
      if (budget.remainingBytes >= 0) {
        rows.push(json);
        return;
      }
      tooLarge = true;
      rows.length = 0;
      lease.cancel();
    });
    const rejectTooLarge = (): void =>
      reject(sqlHttpError(507, `response is too large (max is ${MAX_BODY_BYTES} bytes)`));
    query.on('error', (error: Error) => (tooLarge ? rejectTooLarge() : reject(error)));
    query.on('end', (result: pg.QueryResultBase) => {
      if (tooLarge) return rejectTooLarge();
      const command = result.command ?? '';
      const head = JSON.stringify({ command, rowCount: result.rowCount, rowAsArray: arrayMode });
      const fields = JSON.stringify(result.fields.map(describeField));
      resolve({ command, json: `${head.slice(0, -1)},"fields":${fields},"rows":[${rows.join(',')}]}` });
    });
    lease.client.query(query);
  });
}

function describeField(field: pg.FieldDef): pg.FieldDef {
  const { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format } = field;
  return { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format };
}

function rowToJson(
  row: (string | null)[],
  fields: pg.FieldDef[],
  rawText: boolean,
  arrayMode: boolean,
): string {
  const values = row.map((text, index) => {
    if (text === null) return 'null';
    return rawText ? JSON.stringify(text) : textToJson(text, fields[index]?.dataTypeID ?? 0);
  });
  if (arrayMode) return `[${values.join(',')}]`;
  return `{${values.map((value, index) => `${JSON.stringify(fields[index]?.name ?? '')}:${value}`).join(',')}}`;
}
