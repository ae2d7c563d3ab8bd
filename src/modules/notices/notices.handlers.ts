import type { Handlers } from '../../jobs/handlers.ts';
import { pushToUser } from '../realtime/index.ts';
import { mailNotice } from './usecases/mail-notice.ts';

/** Repeating them changes nothing: the hub delivers an event id once, and each event sends one mail. */
export const noticeHandlers: Handlers = {
  'account.security_notice': async (ctx, { id, type, data }) => {
    await pushToUser(ctx, data.user_id, {
      id,
      type,
      data: { notice: data.notice, detail: data.detail, occurred_at: data.occurred_at },
    });
    await mailNotice(ctx, id, {
      userId: data.user_id,
      notice: data.notice,
      detail: data.detail,
      email: data.email ?? undefined,
      occurredAt: data.occurred_at,
    });
  },
  'session.started_on_new_device': async (ctx, { id, data }) => {
    await mailNotice(ctx, id, {
      userId: data.user_id,
      notice: 'new_device',
      detail: { device: data.device_name, ...(data.country === null ? {} : { country: data.country }) },
      email: undefined,
      occurredAt: data.started_at,
    });
  },
};
