import { z } from 'zod';
import { hmacSha256, secretsEqual } from '../../shared/crypto.ts';
import { base64Url, fromBase64Url, fromUtf8 } from '../../shared/encoding.ts';

const payloadSchema = z.object({
  algorithm: z.string().refine((name) => name.toUpperCase() === 'HMAC-SHA256'),
  user_id: z.string().regex(/^\d{1,64}$/),
  issued_at: z.int(),
});

/**
 * The person a `signed_request` of Facebook is about; undefined when our app's secret did not sign it, or over a day ago.
 * @see https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback
 */
export async function readSignedRequest(
  signedRequest: string,
  appSecret: string,
  nowSeconds: number,
): Promise<string | undefined> {
  const [signature, payload, rest] = signedRequest.split('.');
  if (signature === undefined || payload === undefined || rest !== undefined || appSecret === '')
    return undefined;
  const expected = base64Url(await hmacSha256(appSecret, payload));
  if (!(await secretsEqual(signature.replace(/=+$/, ''), expected))) return undefined;
  try {
    const { user_id, issued_at } = payloadSchema.parse(
      JSON.parse(fromUtf8(fromBase64Url(payload.replace(/=+$/, '')) ?? new Uint8Array())),
    );
    return Math.abs(nowSeconds - issued_at) <= 86_400 ? user_id : undefined;
  } catch {
    // Signed, but not in a form we know.
    return undefined;
  }
}
