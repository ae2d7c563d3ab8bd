import { z } from 'zod';
import type { Config } from '../../config/index.ts';

export interface TextMessage {
  /** E.164. */
  readonly to: string;
  readonly body: string;
}

/**
 * What came of a message: `accepted` to be delivered; `refused` because this number cannot get one, now or ever; `failed`
 * for what is not about the number and may pass. `code` is the service's own, if it gave one.
 */
export type SmsOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: number }
  | { readonly kind: 'failed'; readonly status: number; readonly code: number | undefined };

// Of the number: invalid, not mobile, unreachable, blocked by its owner, or in a region the account does not send to
// (https://www.twilio.com/docs/api/errors).
const numberCodes = new Set([21_211, 21_214, 21_217, 21_265, 21_408, 21_610, 21_612, 21_614]);
const maxErrorLength = 10_000;
const errorSchema = z.object({ code: z.int() });

/**
 * Sends one text message by Twilio's Messages API (https://www.twilio.com/docs/messaging/api/message-resource). Never tries
 * twice: the API knows no idempotency key, and an answer that was lost may have been a message sent.
 */
export async function sendTextMessage(config: Config['sms'], message: TextMessage): Promise<SmsOutcome> {
  const { apiUrl, accountSid, authToken, sender, requestTimeoutMs } = config;
  const form = new URLSearchParams({
    To: message.to,
    Body: message.body,
    [sender.startsWith('MG') ? 'MessagingServiceSid' : 'From']: sender,
  });
  try {
    const response = await fetch(`${apiUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: form.toString(),
      redirect: 'manual',
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const text = await response.text();
    if (response.status === 201) return { kind: 'accepted' };
    const code = codeOf(text);
    return response.status === 400 && code !== undefined && numberCodes.has(code)
      ? { kind: 'refused', code }
      : { kind: 'failed', status: response.status, code };
  } catch {
    return { kind: 'failed', status: 0, code: undefined };
  }
}

function codeOf(text: string): number | undefined {
  if (text.length > maxErrorLength) return undefined;
  try {
    return errorSchema.safeParse(JSON.parse(text)).data?.code;
  } catch {
    return undefined;
  }
}
