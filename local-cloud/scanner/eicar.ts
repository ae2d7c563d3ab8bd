import { open } from 'node:fs/promises';
import { clean, found, type ScanEngine, type ScanOutcome, unsupported } from './engine.ts';
import { type ByteSource, isZip, readZip, ZipProblem } from './zip.ts';

/**
 * The EICAR test file, which every virus scanner reports (https://www.eicar.org/download-anti-malware-testfile/). In two
 * halves, so that none reports this one.
 */
export const eicar = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD', '-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
  'latin1',
);

const CHUNK_BYTES = 256 * 1024;
const MAX_DEPTH = 3;
/** Of all members of an archive together, and of the archives in it. */
const MAX_INFLATED_BYTES = 256 * 1024 * 1024;
const threat = 'EICAR-Test-File';

/** Finds the signature in a stream of chunks, also across their borders. */
export function createSignatureSearch(): (chunk: Uint8Array) => boolean {
  let tail: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const window = Buffer.concat([tail, chunk]);
    if (window.includes(eicar)) return true;
    tail = window.subarray(Math.max(0, window.length - eicar.length + 1));
    return false;
  };
}

/** Knows one signature, the EICAR test file's, in plain files and in ZIP archives, also in archives behind something else. */
export const eicarEngine: ScanEngine = {
  name: 'eicar',
  description:
    'the EICAR test signature only: no virus but the test file is found (install ClamAV for a real scan)',
  async scan(path) {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const source: ByteSource = {
        size,
        async read(start, length) {
          const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - start)));
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
          return buffer.subarray(0, bytesRead);
        },
      };
      return await scanSource(source, 0, { inflatedBytes: 0 });
    } finally {
      await handle.close();
    }
  },
};

async function scanSource(
  source: ByteSource,
  depth: number,
  spent: { inflatedBytes: number },
): Promise<ScanOutcome> {
  const search = createSignatureSearch();
  for (let start = 0; start < source.size; start += CHUNK_BYTES)
    if (search(await source.read(start, CHUNK_BYTES))) return found(threat);
  try {
    return await scanMembers(source, depth, spent);
  } catch (error) {
    if (error instanceof ZipProblem) return unsupported(error.reason);
    throw error;
  }
}

async function scanMembers(
  source: ByteSource,
  depth: number,
  spent: { inflatedBytes: number },
): Promise<ScanOutcome> {
  let outcome = clean;
  for await (const member of readZip(source)) {
    if (depth === MAX_DEPTH) throw new ZipProblem('ARCHIVE_TOO_DEEP');
    const search = createSignatureSearch();
    const kept: Buffer[] = [];
    for await (const chunk of member.content()) {
      spent.inflatedBytes += chunk.length;
      if (spent.inflatedBytes > MAX_INFLATED_BYTES) throw new ZipProblem('ARCHIVE_TOO_LARGE');
      if (search(chunk)) return found(threat);
      kept.push(chunk);
    }
    const bytes = Buffer.concat(kept);
    if (!isZip(bytes)) continue;
    const inner: ByteSource = {
      size: bytes.length,
      read: async (start, length) => bytes.subarray(start, start + length),
    };
    const nested = await scanSource(inner, depth + 1, spent);
    if (nested.status === 'THREATS_FOUND') return nested;
    if (nested.status !== 'NO_THREATS_FOUND') outcome = nested;
  }
  return outcome;
}
