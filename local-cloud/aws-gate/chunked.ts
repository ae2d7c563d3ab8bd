import { createHash, createHmac, type Hash } from 'node:crypto';
import { EMPTY_SHA256, sha256Hex } from './canonical.ts';
import { AwsError } from './errors.ts';
import { type ChunkSigning, sameSignature, type Verified } from './verify.ts';

const MAX_LINE_BYTES = 8192;
/** S3: only the last chunk may be smaller. */
const MIN_CHUNK_BYTES = 8192;

/** A push decoder: `feed` returns the payload slices found so far, `finish` the trailers. Both throw `AwsError`. */
export type ChunkedDecoder = {
  feed(data: Buffer): Buffer[];
  finish(): ReadonlyMap<string, string>;
};

export const isChunkedPayload = (payloadHash: string): boolean => payloadHash.startsWith('STREAMING-');

const malformed = (message: string): AwsError => new AwsError(400, 'IncompleteBody', message);

const hmacHex = (key: Buffer, text: string): string => createHmac('sha256', key).update(text).digest('hex');

/** Every signature covers the one before it, so chunks cannot be dropped, repeated or swapped. */
const createSignatureChain = (signing: ChunkSigning) => {
  let previous = signing.seedSignature;
  const verify = (algorithm: string, claimed: string | undefined, digests: readonly string[]): void => {
    const text = [algorithm, signing.amzDate, signing.scope, previous, ...digests].join('\n');
    const expected = hmacHex(signing.signingKey, text);
    if (claimed === undefined || !sameSignature(expected, claimed)) {
      throw new AwsError(
        403,
        'SignatureDoesNotMatch',
        'The signature of a chunk does not match what was calculated.',
      );
    }
    previous = expected;
  };
  return {
    chunk: (claimed: string | undefined, sha256: string) =>
      verify('AWS4-HMAC-SHA256-PAYLOAD', claimed, [EMPTY_SHA256, sha256]),
    trailer: (claimed: string | undefined, lines: readonly string[]) =>
      verify('AWS4-HMAC-SHA256-TRAILER', claimed, [sha256Hex(lines.map((line) => `${line}\n`).join(''))]),
  };
};

const parseSizeLine = (line: string): { size: number; signature: string | undefined } => {
  const match = /^([0-9a-fA-F]{1,13})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (match === null) throw malformed('A chunk header of the aws-chunked body is malformed.');
  return { size: Number.parseInt(match[1] ?? '', 16), signature: match[2] };
};

/**
 * Decodes an `aws-chunked` body as it arrives, with or without a signature per chunk, with or without trailers,
 * holding no more than one chunk header in memory.
 * Source: "Signature calculations: transferring payload in multiple chunks", S3 API Reference.
 *
 * @param expectedBytes value of `x-amz-decoded-content-length`
 * @param trailerNames names announced in `x-amz-trailer`; each must come, and no other may
 */
export const createChunkedDecoder = (
  verified: Verified,
  expectedBytes: number,
  trailerNames: readonly string[],
): ChunkedDecoder => {
  const signed = verified.payloadHash.startsWith('STREAMING-AWS4-HMAC-SHA256');
  const allowsTrailer = verified.payloadHash.endsWith('-TRAILER');
  const chain = createSignatureChain(verified.chunkSigning);
  const trailers = new Map<string, string>();
  const signedTrailerLines: string[] = [];
  let state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size';
  let line = Buffer.alloc(0);
  let remaining = 0;
  let chunkSize = 0;
  let chunkSignature: string | undefined;
  let chunkHash: Hash | undefined;
  let decodedBytes = 0;

  const startChunk = (text: string): void => {
    const { size, signature } = parseSizeLine(text);
    if (size > 0 && chunkSize > 0 && chunkSize < MIN_CHUNK_BYTES) {
      throw new AwsError(
        403,
        'InvalidChunkSizeError',
        'Only the last chunk is allowed to have a size less than 8192 bytes',
      );
    }
    decodedBytes += size;
    if (decodedBytes > expectedBytes)
      throw malformed('The body is longer than x-amz-decoded-content-length.');
    remaining = size;
    chunkSize = size;
    chunkSignature = signature;
    chunkHash = signed ? createHash('sha256') : undefined;
    if (size > 0) {
      state = 'data';
      return;
    }
    if (signed) chain.chunk(signature, EMPTY_SHA256);
    state = 'trailer';
  };

  const takeTrailerLine = (text: string): void => {
    if (text === '') {
      state = 'done';
      return;
    }
    const colon = text.indexOf(':');
    const name = text.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    const value = text.slice(colon + 1).trim();
    const known = name === 'x-amz-trailer-signature' ? signed : trailerNames.includes(name);
    if (!allowsTrailer || !known || trailers.has(name)) {
      throw new AwsError(
        400,
        'MalformedTrailerError',
        'The request contained trailing data that was not well-formed',
      );
    }
    trailers.set(name, value);
    if (name !== 'x-amz-trailer-signature') signedTrailerLines.push(`${name}:${value}`);
  };

  const endLine = (): void => {
    if (!line.subarray(-2).equals(Buffer.from('\r\n')))
      throw malformed('A line of the aws-chunked body is malformed.');
    const text = line.subarray(0, -2).toString('latin1');
    line = Buffer.alloc(0);
    if (state === 'size') startChunk(text);
    else if (state === 'trailer') takeTrailerLine(text);
    else if (text === '') state = 'size';
    else throw malformed('A chunk of the aws-chunked body is longer than its header says.');
  };

  const takeData = (data: Buffer): Buffer => {
    const slice = data.subarray(0, remaining);
    chunkHash?.update(slice);
    remaining -= slice.length;
    if (remaining === 0) {
      if (chunkHash !== undefined) chain.chunk(chunkSignature, chunkHash.digest('hex'));
      state = 'data-end';
    }
    return slice;
  };

  return {
    feed(data) {
      const slices: Buffer[] = [];
      let rest = data;
      while (rest.length > 0) {
        if (state === 'done') throw malformed('There is data after the end of the aws-chunked body.');
        if (state === 'data') {
          const slice = takeData(rest);
          slices.push(slice);
          rest = rest.subarray(slice.length);
          continue;
        }
        const newline = rest.indexOf(0x0a);
        const taken = newline < 0 ? rest.length : newline + 1;
        line = Buffer.concat([line, rest.subarray(0, taken)]);
        if (line.length > MAX_LINE_BYTES) throw malformed('A line of the aws-chunked body is too long.');
        rest = rest.subarray(taken);
        if (newline >= 0) endLine();
      }
      return slices;
    },
    finish() {
      if (state !== 'done') throw malformed('The aws-chunked body ended before its last chunk.');
      if (decodedBytes !== expectedBytes)
        throw malformed('The body is shorter than x-amz-decoded-content-length.');
      if (allowsTrailer && signed) chain.trailer(trailers.get('x-amz-trailer-signature'), signedTrailerLines);
      if (trailerNames.some((name) => !trailers.has(name))) {
        throw new AwsError(400, 'MalformedTrailerError', 'A trailer announced in x-amz-trailer is missing');
      }
      return trailers;
    },
  };
};
