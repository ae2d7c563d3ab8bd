import { randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** Reasons the gate itself gives, spelled as S3 spells them. `restJsonCode` has the names the JSON services use. */
export type GateErrorCode =
  | 'AccessDenied'
  | 'AuthorizationHeaderMalformed'
  | 'AuthorizationQueryParametersError'
  | 'EntityTooLarge'
  | 'IncompleteBody'
  | 'InvalidAccessKeyId'
  | 'InvalidArgument'
  | 'InvalidRequest'
  | 'InvalidToken'
  | 'InvalidURI'
  | 'MissingAuthenticationToken'
  | 'RequestTimeTooSkewed'
  | 'SignatureDoesNotMatch'
  | 'XAmzContentSHA256Mismatch';

/** A refusal as data. `details` become extra elements of an XML error, as S3 does for debugging. */
export type Refused = {
  ok: false;
  status: number;
  code: GateErrorCode;
  message: string;
  details?: Readonly<Record<string, string>>;
};

export const refuse = (
  status: number,
  code: GateErrorCode,
  message: string,
  details?: Readonly<Record<string, string>>,
): Refused => ({ ok: false, status, code, message, ...(details && { details }) });

/** An AWS error on its way through streams and handlers; the server turns it into its service's wire shape. */
export class AwsError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'AwsError';
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export const toAwsError = (refused: Refused): AwsError =>
  new AwsError(refused.status, refused.code, refused.message, refused.details);

type ErrorShape = {
  status: number;
  code: string;
  message: string;
  details?: Readonly<Record<string, string>>;
};

/** Escapes text for XML 1.0; control characters become references, as S3 writes them. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"'\p{Cc}\ufffe\uffff]/gu, (char) => {
    if (char === '&') return '&amp;';
    if (char === '<') return '&lt;';
    if (char === '>') return '&gt;';
    if (char === '"') return '&quot;';
    return `&#x${char.charCodeAt(0).toString(16)};`;
  });

/** Answers with S3's `<Error>` document; a HEAD answer carries the status alone. */
export const sendXmlError = (
  res: ServerResponse,
  error: ErrorShape,
  context: { resource: string; requestId: string; headOnly: boolean },
): void => {
  res.statusCode = error.status;
  if (context.headOnly) {
    res.end();
    return;
  }
  const extra = Object.entries(error.details ?? {}).map(
    ([name, text]) => `<${name}>${escapeXml(text)}</${name}>`,
  );
  const body = Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${escapeXml(error.code)}</Code>` +
      `<Message>${escapeXml(error.message)}</Message>${extra.join('')}` +
      `<Resource>${escapeXml(context.resource)}</Resource><RequestId>${context.requestId}</RequestId>` +
      `<HostId>${randomBytes(24).toString('base64')}</HostId></Error>`,
  );
  res.setHeader('content-type', 'application/xml');
  res.setHeader('content-length', body.length);
  res.end(body);
};

const REST_JSON_CODES: Readonly<Record<GateErrorCode, { status: number; code: string }>> = {
  AccessDenied: { status: 403, code: 'AccessDeniedException' },
  AuthorizationHeaderMalformed: { status: 400, code: 'IncompleteSignatureException' },
  AuthorizationQueryParametersError: { status: 400, code: 'IncompleteSignatureException' },
  EntityTooLarge: { status: 413, code: 'RequestEntityTooLargeException' },
  IncompleteBody: { status: 400, code: 'SerializationException' },
  InvalidAccessKeyId: { status: 403, code: 'UnrecognizedClientException' },
  InvalidArgument: { status: 400, code: 'IncompleteSignatureException' },
  InvalidRequest: { status: 400, code: 'IncompleteSignatureException' },
  InvalidToken: { status: 403, code: 'UnrecognizedClientException' },
  InvalidURI: { status: 400, code: 'SerializationException' },
  MissingAuthenticationToken: { status: 403, code: 'MissingAuthenticationTokenException' },
  RequestTimeTooSkewed: { status: 403, code: 'InvalidSignatureException' },
  SignatureDoesNotMatch: { status: 403, code: 'InvalidSignatureException' },
  XAmzContentSHA256Mismatch: { status: 403, code: 'InvalidSignatureException' },
};

/** A gate refusal in the names of the REST-JSON and JSON services (AWS "Common Errors"). */
export const restJsonRefusal = (refused: Refused): ErrorShape => ({
  ...REST_JSON_CODES[refused.code],
  message: refused.message,
});

/** Answers a REST-JSON service error: the code in `x-amzn-ErrorType`, `{"message"}` as body. */
export const sendRestJsonError = (
  res: ServerResponse,
  error: ErrorShape,
  requestId: string = randomUUID(),
): void => {
  const body = Buffer.from(JSON.stringify({ message: error.message }));
  res.statusCode = error.status;
  res.setHeader('content-type', 'application/json');
  res.setHeader('content-length', body.length);
  res.setHeader('x-amzn-errortype', error.code);
  res.setHeader('x-amzn-requestid', requestId);
  res.end(body);
};
