const headerEnd = Buffer.from('\r\n\r\n');
const lineEnd = Buffer.from('\r\n');

/**
 * Bytes of the HTTP/1.1 response at the start of `bytes`, headers included (RFC 9112 §6.3); undefined while it is incomplete.
 * @throws Error for a response whose length is told neither by Content-Length nor by chunks.
 */
export function responseLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf(headerEnd);
  if (end < 0) return undefined;
  const bodyStart = end + headerEnd.length;
  const head = bytes.toString('latin1', 0, end);
  const declared = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (declared !== undefined) {
    const total = bodyStart + Number(declared);
    return bytes.length >= total ? total : undefined;
  }
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) throw new Error(`no length in:\n${head}`);
  let at = bodyStart;
  for (;;) {
    const sizeEnd = bytes.indexOf(lineEnd, at);
    if (sizeEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, sizeEnd), 16);
    at = sizeEnd + lineEnd.length + size + lineEnd.length;
    if (at > bytes.length) return undefined;
    if (size === 0) return at;
  }
}
