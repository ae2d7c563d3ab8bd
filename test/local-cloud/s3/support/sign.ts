import { createHash, createHmac } from 'node:crypto';

export const ACCESS_KEY_ID = 'LOCALTESTKEY';
export const SECRET_ACCESS_KEY = 'local/test+secret';
export const REGION = 'eu-central-1';

const hash = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export type RawSigning = {
  method: string;
  host: string;
  /** Already percent-encoded, sent as it is: no URL parser gets to fold it. */
  path: string;
  /** Already canonical: sorted and encoded. */
  query?: string;
  headers?: Record<string, string>;
  /** Headers that are sent without being signed. */
  unsigned?: Record<string, string>;
  payloadHash?: string;
  date?: Date;
  accessKeyId?: string;
  secretAccessKey?: string;
  region?: string;
  service?: string;
  scopeDate?: string;
  /** Leaves `host` out of the signed headers. */
  withoutHost?: boolean;
};

export type RawSigned = {
  headers: Record<string, string>;
  signature: string;
  signingKey: Buffer;
  amzDate: string;
  scope: string;
};

/** A header signature made by hand, so that tests can get any one part of it wrong. */
export const signRaw = (input: RawSigning): RawSigned => {
  const amzDate = (input.date ?? new Date()).toISOString().replace(/[:-]|\.\d{3}/g, '');
  const scopeDate = input.scopeDate ?? amzDate.slice(0, 8);
  const { region = REGION, service = 's3', accessKeyId = ACCESS_KEY_ID } = input;
  const payloadHash = input.payloadHash ?? 'UNSIGNED-PAYLOAD';
  const headers: Record<string, string> = {
    ...input.headers,
    'x-amz-date': amzDate,
    'x-amz-content-sha256': payloadHash,
  };
  const signed = { ...headers, ...(input.withoutHost ? {} : { host: input.host }) };
  const names = Object.keys(signed).sort();
  const canonical = [
    input.method,
    input.path,
    input.query ?? '',
    ...names.map((name) => `${name}:${signed[name as keyof typeof signed]}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n');
  const scope = `${scopeDate}/${region}/${service}/aws4_request`;
  const secret = input.secretAccessKey ?? SECRET_ACCESS_KEY;
  const signingKey = hmac(hmac(hmac(hmac(`AWS4${secret}`, scopeDate), region), service), 'aws4_request');
  const signature = hmac(signingKey, `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${hash(canonical)}`).toString(
    'hex',
  );
  return {
    headers: {
      ...headers,
      ...input.unsigned,
      host: input.host,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
    },
    signature,
    signingKey,
    amzDate,
    scope,
  };
};

/** Builds an aws-chunked body whose chunks carry signatures continuing from the request's. */
export const signedChunks = (
  signed: RawSigned,
  chunks: readonly Buffer[],
  trailer?: { name: string; value: string },
): Buffer => {
  const out: Buffer[] = [];
  let previous = signed.signature;
  const next = (algorithm: string, lines: readonly string[]): string => {
    previous = hmac(
      signed.signingKey,
      [algorithm, signed.amzDate, signed.scope, previous, ...lines].join('\n'),
    ).toString('hex');
    return previous;
  };
  for (const chunk of [...chunks, Buffer.alloc(0)]) {
    const signature = next('AWS4-HMAC-SHA256-PAYLOAD', [hash(''), hash(chunk)]);
    out.push(Buffer.from(`${chunk.length.toString(16)};chunk-signature=${signature}\r\n`), chunk);
    if (chunk.length > 0) out.push(Buffer.from('\r\n'));
  }
  if (trailer !== undefined) {
    const line = `${trailer.name}:${trailer.value}`;
    const signature = next('AWS4-HMAC-SHA256-TRAILER', [hash(`${line}\n`)]);
    out.push(Buffer.from(`${line}\r\nx-amz-trailer-signature:${signature}\r\n`));
  }
  out.push(Buffer.from('\r\n'));
  return Buffer.concat(out);
};
