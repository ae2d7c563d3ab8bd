import { endAccess } from '../../http/session-guard.ts';
import type { Handlers } from '../../jobs/handlers.ts';
import { encodeId } from '../../shared/ids.ts';
import { pushToUser } from '../realtime/index.ts';
import { disconnect, refusalOf } from './usecases/announce-end.ts';
import { sendResetMail, sendTokenMail } from './usecases/token-mails.ts';

/** Repeating them changes nothing: guards take the later end, the hub delivers an event id once, and each sends one mail. */
export const authHandlers: Handlers = {
  'account.token_mail_requested': (ctx, { id, data }) => sendTokenMail(ctx, id, data.token_id),
  'account.password_reset_requested': (ctx, { id, data }) =>
    sendResetMail(ctx, id, { identifier: data.identifier, requestedAt: data.requested_at }),
  'user.access_ended': async (ctx, { id, type, data }) => {
    const ended = {
      userId: data.user_id,
      sessionIds: data.session_ids,
      epoch: data.epoch ?? undefined,
      endedAt: data.ended_at,
    };
    if (!(await endAccess(ctx, ended.userId, refusalOf(ctx, ended))))
      throw new Error('the session guard did not take the end of a session');
    await disconnect(ctx, ended);
    await pushToUser(ctx, ended.userId, {
      id,
      type,
      data: {
        session_ids: ended.sessionIds.map((sessionId) => encodeId('session', sessionId)),
        reason: data.reason,
        ended_at: data.ended_at,
      },
    });
  },
  'session.started_on_new_device': async (ctx, { id, type, data }) => {
    await pushToUser(ctx, data.user_id, {
      id,
      type,
      data: {
        session_id: encodeId('session', data.session_id),
        device_name: data.device_name,
        country: data.country,
        started_at: data.started_at,
      },
    });
  },
};
