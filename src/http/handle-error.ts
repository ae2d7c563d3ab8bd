import type { ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { ConfigError } from '../config/index.ts';
import { isDatabaseUnavailable } from '../db/errors.ts';
import { createLogger } from '../observability/logger.ts';
import { AppError } from '../shared/errors.ts';
import type { AppEnv } from './env.ts';
import { invalidRequest, malformedJson, notFound, unavailable } from './errors.ts';
import { problemOf, problemResponse } from './problem.ts';

/** Turns whatever a handler threw into problem+json. Nothing of an unknown error reaches the client. */
export const handleError: ErrorHandler<AppEnv> = (error, c) => {
  const ctx = c.get('ctx') as AppEnv['Variables']['ctx'] | undefined;
  const requestId = ctx?.requestId ?? crypto.randomUUID();
  const log = ctx?.log ?? createLogger('info');
  const known = knownErrorOf(error);
  if (known === undefined || known.status >= 500)
    log.log('error', error instanceof ConfigError ? 'config.invalid' : 'request.failed', {
      error_name: error.name,
      error_code: known?.code,
      reason: error instanceof ConfigError ? error.message : undefined,
      stack: ctx?.config.app.debugErrors === true ? error.stack : undefined,
    });
  const response = problemResponse(known ?? error, requestId);
  response.headers.set('x-error-code', problemOf(known ?? error, requestId).code);
  return response;
};

export const handleNotFound: NotFoundHandler<AppEnv> = () => {
  throw notFound();
};

function knownErrorOf(error: Error): AppError | undefined {
  if (error instanceof AppError) return error;
  if (error instanceof HTTPException) return error.status === 400 ? malformedJson() : invalidRequest();
  if (error instanceof ConfigError || isDatabaseUnavailable(error))
    return unavailable({ cause: error, headers: { 'retry-after': '2' } });
  return undefined;
}
