import type { RequestContext } from '../../../context.ts';
import { requireSession } from '../../../http/viewer.ts';
import { publishAfterResponse } from '../../../jobs/publish.ts';
import { seal } from '../../../shared/crypto/envelope.ts';
import { hex, utf8 } from '../../../shared/encoding.ts';
import { newSecurityNotice } from '../../notices/index.ts';
import { codeInvalid, phoneNotFound, phoneRefused, totpRequired } from '../factors.errors.ts';
import { isServedNumber } from '../phone.policy.ts';
import { confirmPhone, findPhone, hasAuthenticator, removePhone } from '../phones.repository.ts';
import {
  assertSmsOffered,
  deliverCode,
  numberPlace,
  openNumber,
  proveSmsCode,
  type SentCode,
} from './sms-codes.ts';

export interface MyPhone {
  readonly lastDigits: string;
  /** RFC 3339. */
  readonly verifiedAt: string;
}

/** The caller's number as far as it is shown; undefined when there is none. */
export async function myPhone(ctx: RequestContext): Promise<MyPhone | undefined> {
  const { userId } = requireSession(ctx);
  const phone = await findPhone(ctx.databases.primary, userId);
  const number = phone === undefined ? undefined : await openNumber(ctx, userId, phone);
  return phone === undefined || number === undefined
    ? undefined
    : { lastDigits: number.slice(-2), verifiedAt: phone.verifiedAt };
}

/**
 * Sends a code to a number the caller claims. The number before stays until this one is proven. Whether another account has
 * the number is neither asked nor told.
 * @throws factors.sms_not_offered, factors.phone_refused, factors.totp_required, factors.sms_limited, service.unavailable.
 */
export async function startPhone(ctx: RequestContext, number: string): Promise<SentCode> {
  const { userId, sessionId } = requireSession(ctx);
  assertSmsOffered(ctx);
  if (!isServedNumber(number, ctx.config.sms.allowedPrefixes)) throw phoneRefused();
  if (!(await hasAuthenticator(ctx.databases.primary, userId))) throw totpRequired();
  const phoneId = ctx.ids.next();
  const sealedNumber = hex(await seal(ctx.config.encryption, utf8(number), numberPlace(phoneId)));
  return deliverCode(ctx, userId, { purpose: 'enrol', id: sessionId }, { number, phoneId, sealedNumber });
}

/**
 * Makes the number the caller's, given the code that was sent to it in this session.
 * @throws factors.code_invalid, factors.totp_required when the authenticator was removed meanwhile.
 */
export async function confirmMyPhone(ctx: RequestContext, code: string): Promise<void> {
  const { userId, sessionId } = requireSession(ctx);
  const proof = await proveSmsCode(ctx, userId, { purpose: 'enrol', id: sessionId }, code);
  if (proof === undefined) throw codeInvalid();
  const notice = newSecurityNotice(ctx, { userId, notice: 'phone_changed', detail: { change: 'set' } });
  const now = new Date(ctx.clock.now()).toISOString();
  if (!(await confirmPhone(ctx, userId, proof, notice, now))) {
    if (await hasAuthenticator(ctx.databases.primary, userId)) throw codeInvalid();
    throw totpRequired();
  }
  publishAfterResponse(ctx, [notice.id]);
  ctx.log.log('info', 'factors.phone_set', { user_id: userId });
}

/**
 * Removes the caller's number; codes sent to it are void.
 * @throws factors.phone_not_found.
 */
export async function removeMyPhone(ctx: RequestContext): Promise<void> {
  const { userId } = requireSession(ctx);
  const notice = newSecurityNotice(ctx, { userId, notice: 'phone_changed', detail: { change: 'removed' } });
  if (!(await removePhone(ctx, userId, notice))) throw phoneNotFound();
  publishAfterResponse(ctx, [notice.id]);
  ctx.log.log('info', 'factors.phone_removed', { user_id: userId });
}
