import { defineError } from '../../shared/errors.ts';

export const sessionInvalid = defineError({
  code: 'views.session_invalid',
  status: 403,
  title: 'This is no watch session of this video and viewer; start a new one.',
});
export const sessionExpired = defineError({
  code: 'views.session_expired',
  status: 409,
  title: 'This watch session is over; start a new one and go on.',
});
export const heartbeatStale = defineError({
  code: 'views.heartbeat_stale',
  status: 409,
  title:
    'This heartbeat comes too late to be told from one that was counted; send what is new under the next number.',
});
export const heartbeatTooFast = defineError({
  code: 'views.heartbeat_too_fast',
  status: 429,
  title: 'More heartbeats than one player sends; wait as long as the answer says, then send all at once.',
});
