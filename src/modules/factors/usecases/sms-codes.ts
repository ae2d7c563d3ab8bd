import type { Config } from '../../../config/index.ts';
import type { RequestContext } from '../../../context.ts';
import { unavailable } from '../../../http/errors.ts';
import { sendTextMessage } from '../../../integrations/sms/index.ts';
import { open, type Place } from '../../../shared/crypto/envelope.ts';
import { hmacSha256, secretsEqual } from '../../../shared/crypto.ts';
import { fromHex, fromUtf8, hex } from '../../../shared/encoding.ts';
import { phoneRefused, smsNotOffered, smsNotSetUp } from '../factors.errors.ts';
import type { FactorKind } from '../factors.repository.ts';
import { newSmsCode, smsCodeSeconds, smsTextOf } from '../phone.policy.ts';
import {
  findPhone,
  type PhoneRow,
  putSmsCode,
  type SmsBinding,
  type SmsProof,
  takeSmsAttempt,
} from '../phones.repository.ts';
import { chargeSms } from './sms-limits.ts';

/** Where a number is sealed for; that of an enrolment keeps its id when it is confirmed. */
export const numberPlace = (phoneId: string): Place => ({
  table: 'phone_factors',
  column: 'sealed_number',
  rowId: phoneId,
});

export interface SentCode {
  readonly expiresInSeconds: number;
  /** The last two digits of the number, so that its owner knows which. */
  readonly lastDigits: string;
}

/** Whether this deployment sends codes by SMS at all. */
export const isSmsOffered = ({ sms }: Pick<Config, 'sms'>): boolean => sms.accountSid !== '';

/** The factors of an account a login can be finished with here: a number stays, though nothing is sent to it now. */
export const usableFactors = (
  ctx: Pick<RequestContext, 'config'>,
  factors: readonly FactorKind[],
): FactorKind[] => factors.filter((kind) => kind !== 'sms' || isSmsOffered(ctx.config));

/** @throws factors.sms_not_offered. */
export function assertSmsOffered(ctx: Pick<RequestContext, 'config'>): void {
  if (!isSmsOffered(ctx.config)) throw smsNotOffered();
}

/**
 * Sends a code to the number a user has proven, for one login or one session.
 * @throws factors.sms_not_offered, factors.sms_not_set_up, and those of `deliverCode`.
 */
export async function sendSmsCode(
  ctx: RequestContext,
  userId: string,
  binding: SmsBinding,
): Promise<SentCode> {
  assertSmsOffered(ctx);
  const phone = await findPhone(ctx.databases.primary, userId);
  if (phone === undefined) throw smsNotSetUp();
  const number = await openNumber(ctx, userId, phone);
  if (number === undefined) throw smsNotSetUp();
  return deliverCode(ctx, userId, binding, { number, phoneId: phone.id, sealedNumber: undefined });
}

/** The number of a user in clear; undefined when it cannot be read. */
export async function openNumber(
  ctx: Pick<RequestContext, 'config' | 'log'>,
  userId: string,
  phone: PhoneRow,
): Promise<string | undefined> {
  const bytes = await open(ctx.config.encryption, fromHex(phone.sealedNumber), numberPlace(phone.id));
  if (bytes === undefined) ctx.log.log('error', 'factors.number_unreadable', { user_id: userId });
  return bytes === undefined ? undefined : fromUtf8(bytes);
}

/**
 * Writes a new code and sends it in this request: a queue would keep it readable, and nobody waits longer for it than the
 * person who asked.
 * @throws factors.sms_limited, factors.phone_refused, service.unavailable.
 */
export async function deliverCode(
  ctx: RequestContext,
  userId: string,
  binding: SmsBinding,
  phone: { readonly number: string; readonly phoneId: string; readonly sealedNumber: string | undefined },
): Promise<SentCode> {
  await chargeSms(ctx, userId, phone.number);
  const code = newSmsCode();
  const nowMs = ctx.clock.now();
  await putSmsCode(ctx, {
    userId,
    binding,
    phoneId: phone.phoneId,
    sealedNumber: phone.sealedNumber,
    codeHash: await smsCodeHash(ctx, userId, binding, code),
    now: new Date(nowMs).toISOString(),
    expiresAt: new Date(nowMs + smsCodeSeconds * 1000).toISOString(),
  });
  const outcome = await sendTextMessage(ctx.config.sms, { to: phone.number, body: smsTextOf(code) });
  if (outcome.kind === 'refused') {
    ctx.log.log('warn', 'factors.sms_refused', { reason: String(outcome.code), user_id: userId });
    throw phoneRefused();
  }
  if (outcome.kind === 'failed') {
    const { status, code: failure } = outcome;
    ctx.log.log('error', 'factors.sms_failed', {
      status,
      reason: failure === undefined ? undefined : String(failure),
    });
    throw unavailable({ headers: { 'retry-after': '30' } });
  }
  return { expiresInSeconds: smsCodeSeconds, lastDigits: phone.number.slice(-2) };
}

/** Checks a code that was sent, without using it up; undefined for a wrong one, and after too many. */
export async function proveSmsCode(
  ctx: Pick<RequestContext, 'databases' | 'config' | 'clock'>,
  userId: string,
  binding: SmsBinding,
  code: string,
): Promise<SmsProof | undefined> {
  const now = new Date(ctx.clock.now()).toISOString();
  const expected = await takeSmsAttempt(ctx.databases.primary, userId, binding, now);
  const codeHash = await smsCodeHash(ctx, userId, binding, code);
  if (expected === undefined || !(await secretsEqual(expected, codeHash))) return undefined;
  return { kind: 'sms', binding, codeHash };
}

// A key of its own, derived from the pepper: what is hashed under one must never be taken for the other.
async function smsCodeHash(
  ctx: Pick<RequestContext, 'config'>,
  userId: string,
  { purpose, id }: SmsBinding,
  code: string,
): Promise<string> {
  const key = await hmacSha256(ctx.config.auth.passwordPepper, 'social-flow sms code key 1');
  return hex(await hmacSha256(key, `${userId}\n${purpose}\n${id}\n${code}`));
}
