import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { percentDecode, splitTarget } from '../aws-gate/canonical.ts';
import { AwsError, sendXmlError } from '../aws-gate/errors.ts';
import { checkKey, decodeUtf8 } from '../s3/keys.ts';
import type { S3Server } from '../s3/server.ts';
import { contentTypeOf, defaultCacheControl } from './content-types.ts';
import type { TrustedKey } from './keys.ts';
import { checkSignature } from './signatures.ts';

export type CdnServerOptions = {
  /** 0 picks a free one. */
  port: number;
  host?: string;
  /** The bucket that can be read through this server. */
  originBucket: string;
  /** Other buckets, for keys that begin with a prefix (cache behaviours with origins of their own). */
  behaviours?: readonly { readonly prefix: string; readonly bucket: string }[];
  s3: Pick<S3Server, 'serveObject'>;
  /** What needs a signature, and by whom: keys that begin with one of the prefixes. Left out, nothing does. */
  signed?: { prefixes: readonly string[]; keys: readonly TrustedKey[] };
  now?: () => Date;
};

export type CdnServer = { url: string; port: number; close(): Promise<void> };

const CLOSE_GRACE_MS = 1000;

const setCorsHeaders = (req: IncomingMessage, res: ServerResponse): void => {
  const { origin } = req.headers;
  // Browsers take no `*` for requests with cookies.
  const credentials = origin !== undefined && req.headers.cookie?.includes('CloudFront-') === true;
  res.setHeader('access-control-allow-origin', credentials ? origin : '*');
  if (credentials) res.setHeader('access-control-allow-credentials', 'true');
  res.setHeader('vary', 'Origin');
  res.setHeader('access-control-expose-headers', 'Accept-Ranges, Content-Length, Content-Range, Date, ETag');
};

const answerPreflight = (res: ServerResponse): void => {
  res.setHeader('access-control-allow-methods', 'GET, HEAD');
  res.setHeader('access-control-allow-headers', 'Range, If-Range, If-None-Match, If-Modified-Since');
  res.setHeader('access-control-max-age', '86400');
  res.statusCode = 204;
  res.end();
};

const keyOf = (req: IncomingMessage): string => {
  const { path } = splitTarget(req.url ?? '/');
  if (!path.startsWith('/')) throw new AwsError(400, 'InvalidURI', "Couldn't parse the specified URI.");
  const key = decodeUtf8(percentDecode(path.slice(1)));
  if (key === '') throw new AwsError(403, 'AccessDenied', 'Access Denied');
  checkKey(key);
  return key;
};

const checkAccess = (key: string, req: IncomingMessage, { signed, now }: CdnServerOptions): void => {
  if (signed === undefined || !signed.prefixes.some((prefix) => key.startsWith(prefix))) return;
  const request = {
    url: `http://${req.headers.host ?? ''}${req.url ?? '/'}`,
    cookie: req.headers.cookie,
    ip: req.socket.remoteAddress ?? '',
    nowSeconds: Math.floor((now?.() ?? new Date()).getTime() / 1000),
  };
  checkSignature(request, signed.keys);
};

const serve = async (req: IncomingMessage, res: ServerResponse, options: CdnServerOptions): Promise<void> => {
  if (req.method === 'OPTIONS') return answerPreflight(res);
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    throw new AwsError(
      403,
      'AccessDenied',
      'This distribution is not configured to allow the HTTP request method that was used for this request.',
    );
  }
  const key = keyOf(req);
  checkAccess(key, req, options);
  const found = await options.s3.serveObject({
    bucket: options.behaviours?.find(({ prefix }) => key.startsWith(prefix))?.bucket ?? options.originBucket,
    key,
    req,
    res,
    headers: ({ system }) => ({
      'content-type': contentTypeOf(key) ?? system['content-type'] ?? 'binary/octet-stream',
      'cache-control': system['cache-control'] ?? defaultCacheControl(key),
    }),
  });
  if (!found) throw new AwsError(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key });
};

const sendError = (req: IncomingMessage, res: ServerResponse, error: unknown, requestId: string): void => {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const known = error instanceof AwsError;
  if (!known) console.error(`cdn: request ${requestId} failed:`, error);
  const shown = known
    ? error
    : new AwsError(500, 'InternalError', 'We encountered an internal error. Please try again.');
  res.setHeader('cache-control', 'no-store');
  const resource = splitTarget(req.url ?? '/').path;
  sendXmlError(res, shown, { resource, requestId, headOnly: req.method === 'HEAD' });
};

/**
 * Starts the stand-in for CloudFront: GET and HEAD of the objects of one bucket, and of others under their prefixes, for players, with a signed URL or signed
 * cookies where the distribution asks for them. Everything else that is in S3 stays out of reach. Rejects when the port is taken.
 */
export const startCdnServer = async (options: CdnServerOptions): Promise<CdnServer> => {
  const { host = '127.0.0.1' } = options;
  const server = createServer((req, res) => {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    res.setHeader('server', 'local-cloud-cdn');
    res.setHeader('x-amz-cf-id', randomBytes(24).toString('base64url'));
    setCorsHeaders(req, res);
    serve(req, res, options).catch((error: unknown) => sendError(req, res, error, requestId));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
};
