import type { IncomingMessage } from 'node:http';
import { sha256Hex } from './canonical.ts';
import { type Refused, refuse } from './errors.ts';
import { type Verified, type VerifyOptions, verifySigV4 } from './verify.ts';

const tooLarge = (maxBytes: number): Refused =>
  refuse(413, 'EntityTooLarge', `The request body is larger than ${maxBytes} bytes.`);

/** Collects a small body; a larger or a broken-off one is refused without keeping it. */
const collect = async (req: IncomingMessage, maxBytes: number): Promise<Buffer | Refused> => {
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) {
      const data = chunk as Buffer;
      bytes += data.length;
      if (bytes > maxBytes) return tooLarge(maxBytes);
      chunks.push(data);
    }
  } catch {
    return refuse(400, 'IncompleteBody', 'The request body ended before its announced length.');
  }
  return Buffer.concat(chunks);
};

/**
 * Reads the body of a request that `verifySigV4` accepted and holds it against the signed hash.
 * For the small JSON services; S3 checks while writing to disk instead.
 */
export const readVerifiedBody = async (
  req: IncomingMessage,
  verified: Verified,
  maxBytes: number,
): Promise<{ ok: true; body: Buffer } | Refused> => {
  const body = await collect(req, maxBytes);
  if (!Buffer.isBuffer(body)) return body;
  if (verified.payloadHash === 'UNSIGNED-PAYLOAD' || verified.payloadHash === sha256Hex(body)) {
    return { ok: true, body };
  }
  return refuse(
    400,
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  );
};

/**
 * Reads and verifies a whole small request, the entry of every JSON service. Body first, since clients such as
 * aws4fetch sign the hash of the body without sending `x-amz-content-sha256`.
 */
export const authenticateRequest = async (
  req: IncomingMessage,
  options: VerifyOptions,
  maxBytes: number,
): Promise<{ ok: true; verified: Verified; body: Buffer } | Refused> => {
  const body = await collect(req, maxBytes);
  if (!Buffer.isBuffer(body)) return body;
  const bodySha256 = sha256Hex(body);
  const verified = verifySigV4(
    { method: req.method ?? 'GET', rawUrl: req.url ?? '/', headers: req.headers },
    { ...options, bodySha256 },
  );
  if (!verified.ok) return verified;
  if (verified.payloadHash !== bodySha256 && verified.payloadHash !== 'UNSIGNED-PAYLOAD') {
    return refuse(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return { ok: true, verified, body };
};
