import { createHash } from 'node:crypto';
import { createCrc32, createCrc32c, createCrc64Nvme, type RunningChecksum } from './crc.ts';
import { AwsError, invalidRequest, notImplemented } from './errors.ts';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, type ChecksumType } from './types.ts';

const DIGEST_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  MD5: 16,
  SHA1: 20,
  SHA256: 32,
  SHA512: 64,
};

const hashing = (algorithm: string): RunningChecksum => {
  const hash = createHash(algorithm);
  return { update: (data) => void hash.update(data), digest: () => hash.digest() };
};

export const createChecksum = (algorithm: ChecksumAlgorithm): RunningChecksum => {
  if (algorithm === 'CRC32') return createCrc32();
  if (algorithm === 'CRC32C') return createCrc32c();
  if (algorithm === 'CRC64NVME') return createCrc64Nvme();
  return hashing(algorithm.toLowerCase());
};

export const checksumHeader = (algorithm: ChecksumAlgorithm): string =>
  `x-amz-checksum-${algorithm.toLowerCase()}`;

/** Element name in XML, e.g. `ChecksumCRC32`. */
export const checksumElement = (algorithm: ChecksumAlgorithm): string => `Checksum${algorithm}`;

/** Reads an algorithm name of `x-amz-checksum-algorithm`; throws for those S3 has and this server has not. */
export const parseChecksumAlgorithm = (name: string): ChecksumAlgorithm => {
  const known = CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name.toUpperCase());
  if (known !== undefined) return known;
  if (name.toUpperCase().startsWith('XXHASH')) throw notImplemented();
  throw invalidRequest('Checksum algorithm provided is unsupported.');
};

const isCrc = (algorithm: ChecksumAlgorithm): boolean => algorithm.startsWith('CRC');

/** Default and allowed type of a multipart object's checksum (S3 User Guide, "Checking object integrity"). */
export const multipartChecksumType = (
  algorithm: ChecksumAlgorithm,
  asked: string | undefined,
): ChecksumType => {
  const fallback = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  const type = asked ?? fallback;
  const allowed =
    (type === 'FULL_OBJECT' && isCrc(algorithm)) || (type === 'COMPOSITE' && algorithm !== 'CRC64NVME');
  if (!allowed || (type !== 'FULL_OBJECT' && type !== 'COMPOSITE')) {
    throw invalidRequest(
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return type;
};

/** A checksum the client announced: its value now, or undefined when it will come as a trailer. */
export type ExpectedChecksum = { algorithm: ChecksumAlgorithm; value: string | undefined };

const assertValue = (algorithm: ChecksumAlgorithm, value: string): void => {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== DIGEST_BYTES[algorithm] || bytes.toString('base64') !== value) {
    throw invalidRequest(`Value for ${checksumHeader(algorithm)} header is invalid.`);
  }
};

/** The one checksum a request announces by header or trailer, if any. Throws `InvalidRequest` when ambiguous. */
export const findExpectedChecksum = (
  amz: ReadonlyMap<string, string>,
  trailerNames: readonly string[],
): ExpectedChecksum | undefined => {
  const names = [...amz.keys(), ...trailerNames].filter(
    (name) => name.startsWith('x-amz-checksum-') && !['algorithm', 'type', 'mode'].includes(name.slice(15)),
  );
  if (names.length > 1)
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  const [name] = names;
  if (name === undefined) {
    if (amz.has('x-amz-sdk-checksum-algorithm')) {
      throw invalidRequest(
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
      );
    }
    return undefined;
  }
  const algorithm = parseChecksumAlgorithm(name.slice(15));
  const value = amz.get(name);
  if (value !== undefined) assertValue(algorithm, value);
  return { algorithm, value };
};

export const checkChecksum = (algorithm: ChecksumAlgorithm, claimed: string, computed: string): void => {
  assertValue(algorithm, claimed);
  if (claimed !== computed) {
    throw new AwsError(
      400,
      'BadDigest',
      `The ${algorithm} you specified did not match the calculated checksum.`,
    );
  }
};

/** Checksum of checksums, the COMPOSITE form of a multipart object. */
export const compositeChecksum = (algorithm: ChecksumAlgorithm, partValues: readonly string[]): string => {
  const checksum = createChecksum(algorithm);
  for (const value of partValues) checksum.update(Buffer.from(value, 'base64'));
  return `${checksum.digest().toString('base64')}-${partValues.length}`;
};
