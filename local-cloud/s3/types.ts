/** One rule of a bucket's CORS configuration; origins and headers may hold one `*` each. */
export type CorsRule = {
  id?: string;
  allowedOrigins: readonly string[];
  allowedMethods: readonly ('GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD')[];
  allowedHeaders?: readonly string[];
  exposeHeaders?: readonly string[];
  maxAgeSeconds?: number;
};

export type S3Event = {
  bucket: string;
  key: string;
  /** Bytes; 0 for a removal. */
  size: number;
  /** Without quotes; empty for a removal. */
  eTag: string;
  eventName:
    | 'ObjectCreated:Put'
    | 'ObjectCreated:Copy'
    | 'ObjectCreated:CompleteMultipartUpload'
    | 'ObjectRemoved:Delete';
};

export const CHECKSUM_ALGORITHMS = [
  'CRC32',
  'CRC32C',
  'CRC64NVME',
  'MD5',
  'SHA1',
  'SHA256',
  'SHA512',
] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';
/** `value` is base64, with `-<parts>` after it when the type is COMPOSITE. */
export type StoredChecksum = { algorithm: ChecksumAlgorithm; type: ChecksumType; value: string };

/** Response headers an object keeps, by their HTTP names, and the user's metadata by name without `x-amz-meta-`. */
export type ObjectHeaders = { system: Record<string, string>; user: Record<string, string> };

export type ObjectRecord = ObjectHeaders & {
  key: string;
  size: number;
  /** Without quotes. */
  eTag: string;
  lastModifiedMs: number;
  checksum?: StoredChecksum;
  tags?: Readonly<Record<string, string>>;
  /** File name beside the sidecar that holds the bytes. */
  dataFile: string;
};

export type PartRecord = {
  partNumber: number;
  size: number;
  /** MD5 of the part, hex. */
  eTag: string;
  lastModifiedMs: number;
  checksum?: { algorithm: ChecksumAlgorithm; value: string };
  dataFile: string;
};

export type UploadRecord = ObjectHeaders & {
  uploadId: string;
  key: string;
  initiatedMs: number;
  checksum?: { algorithm: ChecksumAlgorithm; type: ChecksumType };
};

export type Upload = { record: UploadRecord; parts: Map<number, PartRecord> };

export type Bucket = {
  name: string;
  createdAtMs: number;
  cors: readonly CorsRule[] | undefined;
  objects: Map<string, ObjectRecord>;
  /** Keys of `objects` in UTF-8 byte order, the order S3 lists in. */
  sortedKeys: string[];
  uploads: Map<string, Upload>;
  /** Writes past their last check; the bucket cannot be deleted under them. */
  pendingCommits: number;
};
