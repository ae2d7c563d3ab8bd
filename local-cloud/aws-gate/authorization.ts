import type { parseQuery, RequestHeaders } from './canonical.ts';
import { type Refused, refuse } from './errors.ts';

/** The signature claims of a request, as text, none of them believed yet. */
export type Authorization = {
  mode: 'header' | 'query';
  accessKeyId: string;
  /** `date/region/service/aws4_request` split at the slashes. */
  scope: { date: string; region: string; service: string; terminator: string };
  /** `YYYYMMDDTHHMMSSZ` */
  amzDate: string;
  signedHeaders: readonly string[];
  /** 64 lower-case hex digits. */
  signature: string;
  /** Lifetime of a presigned URL; undefined in header mode. */
  expiresSeconds: number | undefined;
};

type QueryPairs = NonNullable<ReturnType<typeof parseQuery>>;

const ALGORITHM = 'AWS4-HMAC-SHA256';
const MAX_EXPIRES_SECONDS = 604_800;
const QUERY_PARAMETERS = [
  'Algorithm',
  'Credential',
  'Date',
  'Expires',
  'SignedHeaders',
  'Signature',
] as const;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value;

const parseCredential = (credential: string): Pick<Authorization, 'accessKeyId' | 'scope'> | undefined => {
  const parts = credential.split('/');
  const [terminator, service, region, date] = parts.slice(-4).reverse();
  const accessKeyId = parts.slice(0, -4).join('/');
  if (parts.length < 5 || accessKeyId === '') return undefined;
  if (date === undefined || region === undefined || service === undefined || terminator === undefined) {
    return undefined;
  }
  return { accessKeyId, scope: { date, region, service, terminator } };
};

const parseSignedHeaders = (list: string): readonly string[] | undefined => {
  const names = list.split(';');
  const sorted = names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name);
  return sorted && names.every((name) => HEADER_NAME.test(name)) ? names : undefined;
};

const isAmzDate = (value: string): boolean => /^\d{8}T\d{6}Z$/.test(value);
const isSignature = (value: string): boolean => /^[0-9a-f]{64}$/.test(value);

const parseHeader = (authorization: string, amzDate: string | undefined): Authorization | Refused => {
  const malformed = (what: string) =>
    refuse(400, 'AuthorizationHeaderMalformed', `The authorization header is malformed; ${what}.`);
  if (!authorization.startsWith(`${ALGORITHM} `)) {
    return refuse(
      400,
      'InvalidRequest',
      `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
    );
  }
  const fields = new Map<string, string>();
  for (const piece of authorization.slice(ALGORITHM.length + 1).split(',')) {
    const equals = piece.indexOf('=');
    const name = piece.slice(0, Math.max(equals, 0)).trim();
    if (equals < 0 || fields.has(name)) return malformed('a field is repeated or has no value');
    fields.set(name, piece.slice(equals + 1).trim());
  }
  const credential = parseCredential(fields.get('Credential') ?? '');
  if (credential === undefined) return malformed('the Credential is missing or incomplete');
  const signedHeaders = parseSignedHeaders(fields.get('SignedHeaders') ?? '');
  if (signedHeaders === undefined) return malformed('SignedHeaders must be sorted, lower-case and unique');
  const signature = fields.get('Signature') ?? '';
  if (!isSignature(signature)) return malformed('the Signature is not 64 hex digits');
  if (amzDate === undefined || !isAmzDate(amzDate)) {
    return refuse(403, 'AccessDenied', 'AWS authentication requires a valid x-amz-date header');
  }
  return { mode: 'header', ...credential, amzDate, signedHeaders, signature, expiresSeconds: undefined };
};

const parsePresigned = (query: QueryPairs): Authorization | Refused => {
  const malformed = (what: string) => refuse(400, 'AuthorizationQueryParametersError', what);
  const found: Partial<Record<(typeof QUERY_PARAMETERS)[number], string>> = {};
  for (const { name, value } of query) {
    const parameter = QUERY_PARAMETERS.find((known) => `X-Amz-${known}` === name.toString('latin1'));
    if (parameter === undefined) continue;
    if (found[parameter] !== undefined) return malformed(`X-Amz-${parameter} was given more than once`);
    found[parameter] = value.toString('utf8');
  }
  const { Algorithm, Credential, Date: amzDate, Expires, SignedHeaders, Signature } = found;
  if (
    Algorithm === undefined ||
    Credential === undefined ||
    amzDate === undefined ||
    Expires === undefined ||
    SignedHeaders === undefined ||
    Signature === undefined
  ) {
    return malformed(
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    );
  }
  if (Algorithm !== ALGORITHM) return malformed(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const credential = parseCredential(Credential);
  if (credential === undefined) {
    return malformed(
      'Error parsing the X-Amz-Credential parameter; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    );
  }
  if (!isAmzDate(amzDate))
    return malformed("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  if (!/^\d{1,9}$/.test(Expires)) return malformed('X-Amz-Expires should be a number');
  const expiresSeconds = Number(Expires);
  if (expiresSeconds < 1) return malformed('X-Amz-Expires must be at least 1 second');
  if (expiresSeconds > MAX_EXPIRES_SECONDS) {
    return malformed(
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    );
  }
  const signedHeaders = parseSignedHeaders(SignedHeaders);
  if (signedHeaders === undefined)
    return malformed('X-Amz-SignedHeaders must be sorted, lower-case and unique');
  if (!isSignature(Signature)) {
    return refuse(403, 'SignatureDoesNotMatch', 'X-Amz-Signature is not 64 hex digits');
  }
  return { mode: 'query', ...credential, amzDate, signedHeaders, signature: Signature, expiresSeconds };
};

const isSigV2Parameter = (name: string): boolean => name === 'AWSAccessKeyId' || name === 'Signature';

/** Reads the claims from the `Authorization` header or the `X-Amz-*` query parameters; exactly one must be there. */
export const parseAuthorization = (headers: RequestHeaders, query: QueryPairs): Authorization | Refused => {
  const authorization = single(headers.authorization);
  const names = query.map(({ name }) => name.toString('latin1'));
  const presigned = names.some((name) => QUERY_PARAMETERS.some((known) => name === `X-Amz-${known}`));
  if (authorization !== undefined && presigned) {
    return refuse(
      400,
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    );
  }
  if (authorization !== undefined) return parseHeader(authorization, single(headers['x-amz-date']));
  if (presigned) return parsePresigned(query);
  if (names.some(isSigV2Parameter)) {
    return refuse(
      400,
      'InvalidRequest',
      `The authorization mechanism you have provided is not supported. Please use ${ALGORITHM}.`,
    );
  }
  return refuse(403, 'MissingAuthenticationToken', 'Missing Authentication Token');
};
