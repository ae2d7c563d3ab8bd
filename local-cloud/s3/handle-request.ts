import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendXmlError, toAwsError } from '../aws-gate/errors.ts';
import { type AwsCredentials, verifySigV4 } from '../aws-gate/verify.ts';
import { answerPreflight, applyCors } from './cors.ts';
import { AwsError } from './errors.ts';
import { collectAmz, parseTarget } from './request.ts';
import { route } from './router.ts';
import type { Store } from './store.ts';
import type { S3Event } from './types.ts';

export type HandlerOptions = {
  store: Store;
  region: string;
  credentials: readonly AwsCredentials[];
  emit: (event: S3Event) => void;
};

const authenticateAndRoute = async (
  req: IncomingMessage,
  res: ServerResponse,
  options: HandlerOptions,
): Promise<void> => {
  const { store, region, credentials, emit } = options;
  const rawUrl = req.url ?? '/';
  const method = req.method ?? 'GET';
  const target = parseTarget(rawUrl);
  const bucket = store.buckets.get(target.bucketName ?? '');
  if (method === 'OPTIONS') return answerPreflight(req, res, bucket);
  applyCors(req, res, bucket);
  const verified = verifySigV4(
    { method, rawUrl, headers: req.headers },
    { service: 's3', region, credentials, now: store.now },
  );
  if (!verified.ok) {
    if (verified.code !== 'MissingAuthenticationToken') throw toAwsError(verified);
    throw new AwsError(403, 'AccessDenied', 'Access Denied');
  }
  await route({
    ...target,
    req,
    res,
    method,
    verified,
    amz: collectAmz(req, target.query),
    store,
    region,
    emit,
  });
};

const sendError = (req: IncomingMessage, res: ServerResponse, error: unknown, requestId: string): void => {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const isKnown = error instanceof AwsError;
  if (!isKnown) console.error(`s3: request ${requestId} failed:`, error);
  const shown = isKnown
    ? error
    : new AwsError(500, 'InternalError', 'We encountered an internal error. Please try again.');
  for (const name of ['etag', 'content-length', 'content-range', 'content-encoding', 'last-modified'])
    res.removeHeader(name);
  // A client that waits for 100-continue will not send its body any more, so the connection cannot be used again.
  if (req.headers.expect !== undefined) res.setHeader('connection', 'close');
  sendXmlError(res, shown, {
    resource: (req.url ?? '/').replace(/\?.*$/s, ''),
    requestId,
    headOnly: req.method === 'HEAD',
  });
  // What is left of the body is read and dropped: closing now would cut the client off before it sees the answer.
  if (!req.readableEnded) req.resume();
};

/** Serves one S3 request; never rejects. */
export const handleRequest = async (
  req: IncomingMessage,
  res: ServerResponse,
  options: HandlerOptions,
): Promise<void> => {
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  res.setHeader('server', 'local-cloud-s3');
  res.setHeader('x-amz-request-id', requestId);
  res.setHeader('x-amz-id-2', randomBytes(24).toString('base64'));
  try {
    await authenticateAndRoute(req, res, options);
  } catch (error) {
    sendError(req, res, error, requestId);
  }
};
