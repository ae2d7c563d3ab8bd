import { createInflateRaw } from 'node:zlib';

/** Bytes that can be read anywhere, wherever they lie. */
export type ByteSource = { size: number; read(start: number, length: number): Promise<Buffer> };

/** An archive that cannot be looked through. */
export class ZipProblem extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(`the archive cannot be scanned: ${reason}`);
    this.name = 'ZipProblem';
    this.reason = reason;
  }
}

// APPNOTE.TXT 6.3.10: 4.3.7 local file header, 4.3.12 central directory, 4.3.16 end of central directory.
const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1');
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT_BYTES = 65_535;
const MAX_MEMBERS = 10_000;
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
const ENCRYPTED = 1;

export type ZipMember = { content(): AsyncIterable<Buffer> };

/** Whether bytes begin as a ZIP archive does. */
export const isZip = (bytes: Buffer): boolean =>
  bytes.length > END_BYTES && bytes.readUInt32LE(0) === LOCAL_SIGNATURE;

/**
 * The members of the ZIP archive at the end of a source, whatever stands before it; none when there is no archive.
 * @throws ZipProblem for one that is locked, damaged or too large.
 */
export async function* readZip(source: ByteSource): AsyncGenerator<ZipMember> {
  const directory = await findDirectory(source);
  if (directory === undefined) return;
  const { bytes, base } = directory;
  let members = 0;
  for (let at = 0; at + CENTRAL_BYTES <= bytes.length; ) {
    if (bytes.readUInt32LE(at) !== CENTRAL_SIGNATURE) throw new ZipProblem('ARCHIVE_DAMAGED');
    members += 1;
    if (members > MAX_MEMBERS) throw new ZipProblem('ARCHIVE_TOO_LARGE');
    if ((bytes.readUInt16LE(at + 8) & ENCRYPTED) !== 0) throw new ZipProblem('PASSWORD_PROTECTED');
    const method = bytes.readUInt16LE(at + 10);
    const compressedBytes = bytes.readUInt32LE(at + 20);
    const header = base + bytes.readUInt32LE(at + 42);
    yield { content: () => contentOf(source, header, method, compressedBytes) };
    at +=
      CENTRAL_BYTES + bytes.readUInt16LE(at + 28) + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
}

async function findDirectory(source: ByteSource): Promise<{ bytes: Buffer; base: number } | undefined> {
  const from = Math.max(0, source.size - END_BYTES - MAX_COMMENT_BYTES);
  const tail = await source.read(from, source.size - from);
  for (
    let at = tail.lastIndexOf(END_SIGNATURE);
    at >= 0;
    at = at === 0 ? -1 : tail.lastIndexOf(END_SIGNATURE, at - 1)
  ) {
    if (at + END_BYTES > tail.length) continue;
    const directoryBytes = tail.readUInt32LE(at + 12);
    const start = from + at - directoryBytes;
    if (start < 0 || directoryBytes > MAX_DIRECTORY_BYTES) continue;
    const bytes = await source.read(start, directoryBytes);
    if (bytes.length < 4 || bytes.readUInt32LE(0) !== CENTRAL_SIGNATURE) continue;
    // What stands before the archive shifts every offset in it.
    return { bytes, base: start - tail.readUInt32LE(at + 16) };
  }
  return undefined;
}

async function* contentOf(
  source: ByteSource,
  header: number,
  method: number,
  compressedBytes: number,
): AsyncGenerator<Buffer> {
  const local = await source.read(header, LOCAL_BYTES);
  if (local.length < LOCAL_BYTES || local.readUInt32LE(0) !== LOCAL_SIGNATURE)
    throw new ZipProblem('ARCHIVE_DAMAGED');
  const start = header + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  const end = Math.min(start + compressedBytes, source.size);
  if (method === 0) {
    yield* slices(source, start, end);
    return;
  }
  if (method !== 8) throw new ZipProblem('ARCHIVE_UNKNOWN_COMPRESSION');
  const inflate = createInflateRaw();
  try {
    const feeding = (async () => {
      for await (const slice of slices(source, start, end))
        if (!inflate.write(slice)) await new Promise((resolve) => inflate.once('drain', resolve));
      inflate.end();
    })();
    feeding.catch((error: unknown) => inflate.destroy(error instanceof Error ? error : undefined));
    for await (const chunk of inflate) yield chunk as Buffer;
  } catch {
    throw new ZipProblem('ARCHIVE_DAMAGED');
  } finally {
    inflate.destroy();
  }
}

async function* slices(source: ByteSource, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end; at += READ_BYTES) {
    const slice = await source.read(at, Math.min(READ_BYTES, end - at));
    if (slice.length === 0) return;
    yield slice;
  }
}
