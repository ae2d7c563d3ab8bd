import pg from 'pg';

/** The JSON body Neon's SQL-over-HTTP endpoint answers errors with; absent fields are null. */
export type NeonErrorBody = Record<(typeof ERROR_FIELDS)[number], string | null> & { message: string };

const ERROR_FIELDS = [
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'severity',
  'where',
  'table',
  'column',
  'schema',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const;

/** An HTTP answer other than 200: the status Neon's proxy gives this kind of failure, and its body. */
export class SqlHttpError extends Error {
  override name = 'SqlHttpError';
  readonly status: number;
  readonly body: NeonErrorBody;
  constructor(status: number, body: NeonErrorBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/** A failure with a message and, at most, a SQLSTATE. */
export function sqlHttpError(status: number, message: string, code: string | null = null): SqlHttpError {
  return new SqlHttpError(status, { ...errorBody({}), message, code });
}

/** A statement failed: 400 with Postgres's own fields, or without them when the connection broke. */
export function statementError(error: unknown): SqlHttpError {
  if (error instanceof SqlHttpError) return error;
  if (error instanceof pg.DatabaseError)
    return new SqlHttpError(400, { ...errorBody(error), message: error.message });
  return sqlHttpError(400, 'connection closed');
}

/**
 * No connection could be made: 400 when the caller is at fault (wrong password, unknown database, no right to connect),
 * 500 when the server is (down, starting, out of connections), as Neon's proxy distinguishes them.
 */
export function connectError(error: unknown): SqlHttpError {
  if (error instanceof SqlHttpError) return error;
  if (!(error instanceof pg.DatabaseError)) return sqlHttpError(500, "Couldn't connect to compute node");
  const callersFault = /^(28|3D|42|22|0A)/.test(error.code ?? '');
  return new SqlHttpError(callersFault ? 400 : 500, { ...errorBody(error), message: error.message });
}

function errorBody(
  error: Partial<Record<(typeof ERROR_FIELDS)[number], string | undefined>>,
): Omit<NeonErrorBody, 'message'> {
  return Object.fromEntries(ERROR_FIELDS.map((field) => [field, error[field] ?? null])) as Omit<
    NeonErrorBody,
    'message'
  >;
}
