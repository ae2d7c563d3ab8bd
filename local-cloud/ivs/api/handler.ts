import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { authenticateRequest } from '../../aws-gate/body.ts';
import { restJsonRefusal, sendRestJsonError } from '../../aws-gate/errors.ts';
import { IvsError, invalid, sendIvsError } from '../errors.ts';
import { channelOperations } from './channels.ts';
import type { ApiContext, Operations } from './context.ts';
import { playbackAccessOperations } from './playback-access.ts';
import { recordingOperations } from './recording-configurations.ts';
import { type Inputs, inputs, type OperationName } from './schemas.ts';
import { streamOperations } from './streams.ts';
import { answerTags } from './tags.ts';

const MAX_BODY_BYTES = 1_000_000;
const MAX_REPORTED_ISSUES = 20;
const TAGS = /^\/tags\/arn(:|%3A)aws(:|%3A)ivs(:|%3A)/i;

const isOperation = (name: string): name is OperationName => Object.hasOwn(inputs, name);

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

/**
 * The control API of IVS: `POST /<Operation>` and `/tags/{arn}`, lowerCamelCase JSON, signed with SigV4 for the
 * service `ivs`. False, with nothing done, when the path belongs to another service.
 */
export function createApiHandler(context: ApiContext): Handler {
  const { region, credentials, now, log = () => {} } = context.options;
  const operations: Operations<OperationName> = {
    ...channelOperations(context),
    ...streamOperations(context),
    ...recordingOperations(context),
    ...playbackAccessOperations(context),
  };

  function run<Name extends OperationName>(name: Name, body: unknown): unknown {
    context.limits.take(name);
    const parsed = inputs[name].safeParse(body);
    if (!parsed.success) throw invalid(describe(parsed.error.issues));
    return operations[name](parsed.data as Inputs[Name]);
  }

  function answer(request: IncomingMessage, url: URL, body: Buffer): unknown {
    const method = request.method ?? 'GET';
    if (TAGS.test(url.pathname) && ['GET', 'POST', 'DELETE'].includes(method)) {
      context.limits.take('tags');
      return answerTags(context.store, method, url, parseJson(body));
    }
    const name = url.pathname.slice(1);
    if (isOperation(name) && method === 'POST') return run(name, parseJson(body));
    throw new IvsError(404, 'UnknownOperationException', `${method} ${url.pathname} is no operation`);
  }

  return async (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (!isOperation(path.slice(1)) && !TAGS.test(path)) return false;
    const gate = await authenticateRequest(
      request,
      { service: 'ivs', region, credentials, ...(now && { now }) },
      MAX_BODY_BYTES,
    );
    if (!gate.ok) {
      sendRestJsonError(response, restJsonRefusal(gate));
      return true;
    }
    try {
      const result = answer(request, new URL(request.url ?? '/', 'http://localhost'), gate.body);
      if (result === undefined) {
        response.writeHead(204).end();
        return true;
      }
      const bytes = Buffer.from(JSON.stringify(result));
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': bytes.length });
      response.end(bytes);
    } catch (error) {
      if (!(error instanceof IvsError)) log(error instanceof Error ? (error.stack ?? '') : String(error));
      sendIvsError(
        response,
        error instanceof IvsError
          ? error
          : new IvsError(500, 'InternalServerException', 'an unexpected error occurred'),
      );
    }
    return true;
  };
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw invalid('the request body is not valid JSON');
  }
}

function describe(issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .slice(0, MAX_REPORTED_ISSUES)
    .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
    .join('; ');
}
