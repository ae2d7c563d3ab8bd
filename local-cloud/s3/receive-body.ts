import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createChunkedDecoder, isChunkedPayload } from '../aws-gate/chunked.ts';
import { checkChecksum, createChecksum, findExpectedChecksum } from './checksums.ts';
import { writeFully } from './disk.ts';
import { AwsError, entityTooLarge, invalidRequest } from './errors.ts';
import type { S3Request } from './request.ts';
import type { ChecksumAlgorithm } from './types.ts';

export const MAX_OBJECT_BYTES = 5 * 1024 ** 3;

export type Received = {
  size: number;
  md5Hex: string;
  /** Present when the client sent one; verified. Base64. */
  checksum: { algorithm: ChecksumAlgorithm; value: string } | undefined;
};

const parseLength = (text: string | undefined): number => {
  if (text === undefined) {
    throw new AwsError(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  if (!/^\d{1,15}$/.test(text))
    throw invalidRequest('The length of the body must be a whole number of bytes.');
  return Number(text);
};

const checkContentMd5 = (claimed: string | undefined, md5: Buffer): void => {
  if (claimed === undefined) return;
  const bytes = Buffer.from(claimed, 'base64');
  if (bytes.length !== 16)
    throw new AwsError(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  if (!bytes.equals(md5)) {
    throw new AwsError(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.', {
      ExpectedDigest: bytes.toString('hex'),
      CalculatedDigest: md5.toString('hex'),
    });
  }
};

const trailerNamesOf = (request: S3Request): string[] =>
  (request.amz.get('x-amz-trailer') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');

/** What a body announces about itself, checked before a byte of it is read. */
const planBody = (request: S3Request, maxBytes: number) => {
  const chunked = isChunkedPayload(request.verified.payloadHash);
  const trailerNames = chunked ? trailerNamesOf(request) : [];
  const length = parseLength(
    chunked ? request.amz.get('x-amz-decoded-content-length') : request.req.headers['content-length'],
  );
  if (length > maxBytes) throw entityTooLarge(maxBytes);
  return {
    expected: findExpectedChecksum(request.amz, trailerNames),
    decoder: chunked ? createChunkedDecoder(request.verified, length, trailerNames) : undefined,
  };
};

/**
 * Reads a request body slice by slice into `sink`, decoding aws-chunked, and verifies everything the client claimed of
 * it: signed hash, length, Content-MD5, checksum header or trailer. Memory use does not depend on the size.
 * Throws `AwsError`; what `sink` has by then is not to be used.
 */
export const receiveBody = async (
  request: S3Request,
  sink: (slice: Buffer) => Promise<void>,
  options: { maxBytes: number; alsoCompute?: ChecksumAlgorithm | undefined },
): Promise<Received> => {
  const { req, res, verified } = request;
  const { expected, decoder } = planBody(request, options.maxBytes);
  const md5 = createHash('md5');
  const sha256 = /^[0-9a-f]{64}$/.test(verified.payloadHash) ? createHash('sha256') : undefined;
  const algorithm = expected?.algorithm ?? options.alsoCompute;
  const running = algorithm && createChecksum(algorithm);
  let size = 0;

  if (req.headers.expect?.toLowerCase() === '100-continue') res.writeContinue();
  const take = async (slice: Buffer): Promise<void> => {
    size += slice.length;
    md5.update(slice);
    sha256?.update(slice);
    running?.update(slice);
    await sink(slice);
  };
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      const data = chunk as Buffer;
      if (decoder === undefined) await take(data);
      else for (const slice of decoder.feed(data)) await take(slice);
    }
  } catch (error) {
    if (!req.destroyed || error instanceof AwsError) throw error;
    throw new AwsError(
      400,
      'IncompleteBody',
      'You did not provide the number of bytes specified by Content-Length.',
    );
  }
  const trailers = decoder?.finish();
  if (sha256 !== undefined) {
    const computed = sha256.digest('hex');
    if (computed !== verified.payloadHash) {
      throw new AwsError(
        400,
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        { ClientComputedContentSHA256: verified.payloadHash, S3ComputedContentSHA256: computed },
      );
    }
  }
  const md5Digest = md5.digest();
  checkContentMd5(req.headers['content-md5']?.toString(), md5Digest);
  const value = running?.digest().toString('base64');
  if (expected !== undefined && value !== undefined) {
    const claimed = expected.value ?? trailers?.get(`x-amz-checksum-${expected.algorithm.toLowerCase()}`);
    checkChecksum(expected.algorithm, claimed ?? '', value);
  }
  return {
    size,
    md5Hex: md5Digest.toString('hex'),
    checksum: algorithm !== undefined && value !== undefined ? { algorithm, value } : undefined,
  };
};

/** Receives a body into a new file. */
export const receiveToFile = async (
  request: S3Request,
  path: string,
  options: { maxBytes: number; alsoCompute?: ChecksumAlgorithm | undefined },
): Promise<Received> => {
  const handle = await open(path, 'wx');
  try {
    return await receiveBody(request, (slice) => writeFully(handle, slice), options);
  } finally {
    await handle.close();
  }
};

const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Receives a small XML document. An absent body is an empty text. */
export const receiveText = async (request: S3Request, required = true): Promise<string> => {
  const { headers } = request.req;
  const absent = headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
  if (!required && absent) return '';
  const slices: Buffer[] = [];
  const sink = async (slice: Buffer): Promise<void> => {
    slices.push(slice);
  };
  await receiveBody(request, sink, { maxBytes: MAX_DOCUMENT_BYTES });
  return Buffer.concat(slices).toString('utf8');
};
