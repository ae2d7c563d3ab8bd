import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Authorization, parseAuthorization } from './authorization.ts';
import {
  canonicalRequest,
  EMPTY_SHA256,
  parseQuery,
  type RequestHeaders,
  sha256Hex,
  splitTarget,
} from './canonical.ts';
import { type Refused, refuse } from './errors.ts';

export type { RequestHeaders } from './canonical.ts';
export type { GateErrorCode, Refused } from './errors.ts';

export type AwsCredentials = { accessKeyId: string; secretAccessKey: string };

export type VerifyOptions = {
  /** Signing name: `s3`, `mediaconvert`, `ivs`, ... */
  service: string;
  region: string;
  credentials: readonly AwsCredentials[];
  now?: () => Date;
  /** Hex SHA-256 of a body already read; used by services whose clients do not send `x-amz-content-sha256`. */
  bodySha256?: string;
};

/** What the signatures inside an aws-chunked body continue from. */
export type ChunkSigning = { seedSignature: string; signingKey: Buffer; amzDate: string; scope: string };

export type Verified = {
  ok: true;
  accessKeyId: string;
  mode: 'header' | 'query';
  /** The signed payload hash: 64 hex digits, `UNSIGNED-PAYLOAD` or a `STREAMING-*` marker. */
  payloadHash: string;
  signedHeaders: readonly string[];
  chunkSigning: ChunkSigning;
};

const MAX_SKEW_MS = 15 * 60 * 1000;
const PAYLOAD_MARKERS = new Set([
  'UNSIGNED-PAYLOAD',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
]);

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** SigV4 signing key: HMAC chain over date, region, service and `aws4_request`. */
export const deriveSigningKey = (
  secretAccessKey: string,
  date: string,
  region: string,
  service: string,
): Buffer => hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, date), region), service), 'aws4_request');

/** Compares two hex signatures without telling by timing where they differ. */
export const sameSignature = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left, 'latin1'), Buffer.from(right, 'latin1'));

/** Milliseconds since the epoch of `YYYYMMDDTHHMMSSZ`; NaN for an impossible date. */
const parseAmzDate = (amzDate: string): number => {
  const [year, month, day, hour, minute, second] = [
    amzDate.slice(0, 4),
    amzDate.slice(4, 6),
    amzDate.slice(6, 8),
    amzDate.slice(9, 11),
    amzDate.slice(11, 13),
    amzDate.slice(13, 15),
  ];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
};

const checkScope = (auth: Authorization, options: VerifyOptions): Refused | undefined => {
  const { date, region, service, terminator } = auth.scope;
  const wrong = (what: string, details?: Record<string, string>) =>
    auth.mode === 'header'
      ? refuse(400, 'AuthorizationHeaderMalformed', `The authorization header is malformed; ${what}`, details)
      : refuse(
          400,
          'AuthorizationQueryParametersError',
          `Error parsing the X-Amz-Credential parameter; ${what}`,
          details,
        );
  if (region !== options.region) {
    return wrong(`the region '${region}' is wrong; expecting '${options.region}'`, {
      Region: options.region,
    });
  }
  if (service !== options.service)
    return wrong(`incorrect service "${service}". This endpoint belongs to "${options.service}".`);
  if (terminator !== 'aws4_request')
    return wrong(`incorrect terminal "${terminator}". This endpoint uses "aws4_request".`);
  if (date !== auth.amzDate.slice(0, 8)) {
    return wrong(
      `Invalid credential date "${date}". This date is not the same as X-Amz-Date: "${auth.amzDate.slice(0, 8)}".`,
    );
  }
  return undefined;
};

const checkTime = (auth: Authorization, now: Date): Refused | undefined => {
  const signedAtMs = parseAmzDate(auth.amzDate);
  if (Number.isNaN(signedAtMs))
    return refuse(403, 'AccessDenied', 'AWS authentication requires a valid date');
  const ageMs = now.getTime() - signedAtMs;
  if (auth.expiresSeconds === undefined) {
    if (Math.abs(ageMs) <= MAX_SKEW_MS) return undefined;
    return refuse(
      403,
      'RequestTimeTooSkewed',
      "The difference between the request time and the server's time is too large.",
      {
        RequestTime: auth.amzDate,
        ServerTime: now.toISOString(),
        MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
      },
    );
  }
  if (ageMs < -MAX_SKEW_MS) {
    return refuse(403, 'AccessDenied', 'Request is not yet valid', { ServerTime: now.toISOString() });
  }
  if (ageMs > auth.expiresSeconds * 1000) {
    return refuse(403, 'AccessDenied', 'Request has expired', {
      'X-Amz-Expires': String(auth.expiresSeconds),
      Expires: new Date(signedAtMs + auth.expiresSeconds * 1000).toISOString(),
      ServerTime: now.toISOString(),
    });
  }
  return undefined;
};

const checkSignedHeaders = (auth: Authorization, headers: RequestHeaders): Refused | undefined => {
  const signed = new Set(auth.signedHeaders);
  const required = Object.keys(headers).filter(
    (name) => name.startsWith('x-amz-') && headers[name] !== undefined,
  );
  const missing = ['host', ...required].filter((name) => !signed.has(name));
  if (missing.length === 0) return undefined;
  return refuse(403, 'AccessDenied', 'There were headers present in the request which were not signed', {
    HeadersNotSigned: missing.join(', '),
  });
};

const findPayloadHash = (
  auth: Authorization,
  headers: RequestHeaders,
  query: NonNullable<ReturnType<typeof parseQuery>>,
  options: VerifyOptions,
): string | Refused => {
  const hoisted = query.find(({ name }) => name.toString('latin1').toLowerCase() === 'x-amz-content-sha256');
  const declared =
    headers['x-amz-content-sha256'] ??
    (auth.mode === 'query' ? hoisted?.value.toString('latin1') : undefined);
  if (options.service !== 's3') {
    if (declared === undefined) return options.bodySha256 ?? EMPTY_SHA256;
    if (typeof declared === 'string' && /^[0-9a-f]{64}$/.test(declared)) return declared;
    return refuse(400, 'InvalidArgument', 'x-amz-content-sha256 must be a valid sha256 value');
  }
  if (declared === undefined) {
    if (auth.mode === 'query') return 'UNSIGNED-PAYLOAD';
    return refuse(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  if (typeof declared === 'string' && (/^[0-9a-f]{64}$/.test(declared) || PAYLOAD_MARKERS.has(declared))) {
    return declared;
  }
  return refuse(
    400,
    'InvalidArgument',
    `x-amz-content-sha256 must be ${[...PAYLOAD_MARKERS].join(', ')} or a valid sha256 value.`,
  );
};

/**
 * Checks an AWS Signature Version 4, in the `Authorization` header or in the query of a presigned URL, the strict way:
 * the scope must name this region and service, the host and every `x-amz-*` header must be signed, header signatures
 * are good for 15 minutes either way and presigned URLs for `X-Amz-Expires` (1..604800) seconds.
 *
 * The body is not looked at: the caller still has to hold it against `payloadHash` (see `body.ts`).
 * Source: "AWS Signature Version 4 for API requests", IAM User Guide; "Authenticating Requests", S3 API Reference.
 *
 * @param req `rawUrl` is path and query exactly as received
 */
export const verifySigV4 = (
  req: { method: string; rawUrl: string; headers: RequestHeaders },
  options: VerifyOptions,
): Verified | Refused => {
  const { path, query: rawQuery } = splitTarget(req.rawUrl);
  const query = parseQuery(rawQuery);
  if (query === undefined) return refuse(400, 'InvalidURI', "Couldn't parse the specified URI.");
  const auth = parseAuthorization(req.headers, query);
  if ('ok' in auth) return auth;

  const credential = options.credentials.find((known) => known.accessKeyId === auth.accessKeyId);
  if (credential === undefined) {
    return refuse(
      403,
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      {
        AWSAccessKeyId: auth.accessKeyId,
      },
    );
  }
  const hasToken =
    req.headers['x-amz-security-token'] !== undefined ||
    query.some(({ name }) => name.toString('latin1').toLowerCase() === 'x-amz-security-token');
  if (hasToken) return refuse(400, 'InvalidToken', 'The provided token is malformed or otherwise invalid.');

  const now = options.now?.() ?? new Date();
  const refused = checkScope(auth, options) ?? checkTime(auth, now) ?? checkSignedHeaders(auth, req.headers);
  if (refused !== undefined) return refused;
  const payloadHash = findPayloadHash(auth, req.headers, query, options);
  if (typeof payloadHash !== 'string') return payloadHash;

  const canonical = canonicalRequest({
    method: req.method,
    path,
    query,
    headers: req.headers,
    signedHeaders: auth.signedHeaders,
    payloadHash,
    service: options.service,
  });
  if (canonical === undefined) return refuse(400, 'InvalidURI', "Couldn't parse the specified URI.");
  const { date, region, service } = auth.scope;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const stringToSign = ['AWS4-HMAC-SHA256', auth.amzDate, scope, sha256Hex(canonical)].join('\n');
  const signingKey = deriveSigningKey(credential.secretAccessKey, date, region, service);
  const expected = hmac(signingKey, stringToSign).toString('hex');
  if (!sameSignature(expected, auth.signature)) {
    return refuse(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      {
        AWSAccessKeyId: auth.accessKeyId,
        StringToSign: stringToSign,
        SignatureProvided: auth.signature,
        CanonicalRequest: canonical,
      },
    );
  }
  return {
    ok: true,
    accessKeyId: auth.accessKeyId,
    mode: auth.mode,
    payloadHash,
    signedHeaders: auth.signedHeaders,
    chunkSigning: { seedSignature: auth.signature, signingKey, amzDate: auth.amzDate, scope },
  };
};
