import type { Handlers } from '../../jobs/handlers.ts';
import { pushToUser } from '../realtime/index.ts';

/** Repeating them changes nothing: the hub delivers an event id once. */
export const noticeHandlers: Handlers = {
  'account.security_notice': async (ctx, { id, type, data }) => {
    await pushToUser(ctx, data.user_id, {
      id,
      type,
      data: { notice: data.notice, detail: data.detail, occurred_at: data.occurred_at },
    });
  },
};
