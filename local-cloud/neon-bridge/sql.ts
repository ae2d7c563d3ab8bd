import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connections } from './connections.ts';
import type { TripCounter } from './counts.ts';
import { SqlHttpError, sqlHttpError } from './errors.ts';
import { execute } from './execute.ts';
import type { Faults } from './faults.ts';
import { parseOptions, parseTarget, readPayload, type SqlOptions } from './request.ts';

export type SqlContext = {
  connections: Connections;
  counter: TripCounter;
  faults: Faults;
  log: (line: string) => void;
};

/** Answers `POST /sql` as Neon's proxy does. When the client goes away its query is cancelled. */
export async function handleSql(
  context: SqlContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const abort = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) abort.abort();
  });
  try {
    const target = parseTarget(request.headers);
    const options = parseOptions(request.headers);
    const payload = await readPayload(request);
    const statements = payload.kind === 'single' ? 1 : payload.statements.length;
    context.counter.record(headerOf(request, 'x-request-id'), headerOf(request, 'x-db-purpose'), statements);

    const fault = await context.faults.take(target.database);
    if (fault?.when === 'before') throw fault.error;
    const lease = await context.connections.acquire(target, abort.signal);
    abort.signal.addEventListener('abort', lease.cancel);
    const body = await execute(lease, payload, options).finally(() => {
      abort.signal.removeEventListener('abort', lease.cancel);
    });
    if (fault?.when === 'after') throw fault.error;
    if (payload.kind === 'batch') echoOptions(request, response, options);
    sendJson(response, 200, body);
  } catch (error) {
    const failure =
      error instanceof SqlHttpError ? error : sqlHttpError(500, 'internal error in the bridge: see its log');
    if (failure !== error)
      context.log(`neon-bridge: ${error instanceof Error ? error.stack : String(error)}`);
    // Closing on a client that is still sending would reset the connection before it reads the answer.
    if (!request.complete) request.resume();
    sendJson(response, failure.status, JSON.stringify(failure.body));
  }
}

function echoOptions(request: IncomingMessage, response: ServerResponse, options: SqlOptions): void {
  if (options.readOnly) response.setHeader('neon-batch-read-only', 'true');
  if (options.deferrable) response.setHeader('neon-batch-deferrable', 'true');
  const level = headerOf(request, 'neon-batch-isolation-level');
  if (level !== undefined) response.setHeader('neon-batch-isolation-level', level);
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Sends `body`, which is JSON text already, unless the client is gone. */
export function sendJson(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}
