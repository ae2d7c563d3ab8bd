import type { RequestContext } from '../../../context.ts';
import { newEvent, type OutboxEvent } from '../../../db/outbox.ts';
import type { SecurityNotice } from '../notices.events.ts';

/** A notice to be written beside the change it tells of (`insertEventIfAny`, `insertEvents`). */
export const newSecurityNotice = (
  ctx: Pick<RequestContext, 'ids' | 'trace' | 'clock'>,
  notice: {
    readonly userId: string;
    readonly notice: SecurityNotice;
    readonly detail?: Readonly<Record<string, string>>;
    readonly email?: string;
  },
): OutboxEvent =>
  newEvent(ctx, 'account.security_notice', {
    user_id: notice.userId,
    notice: notice.notice,
    detail: notice.detail ?? {},
    email: notice.email ?? null,
    occurred_at: new Date(ctx.clock.now()).toISOString(),
  });
