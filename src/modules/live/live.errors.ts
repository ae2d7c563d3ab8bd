import { defineError } from '../../shared/errors.ts';

export const noLiveChannel = defineError({
  code: 'live.no_channel',
  status: 404,
  title: 'You have no live channel yet; create it first.',
});
export const emailNotVerified = defineError({
  code: 'live.email_not_verified',
  status: 403,
  title: 'Only accounts with a verified e-mail address can stream; verify yours first.',
});
export const noChannelReady = defineError({
  code: 'live.no_channel_ready',
  status: 503,
  title: 'No channel is ready just now; try again in a moment.',
});
export const channelIsLive = defineError({
  code: 'live.channel_is_live',
  status: 409,
  title: 'A channel cannot be changed while it is live; end the stream first.',
});
export const channelIsBusy = defineError({
  code: 'live.channel_is_busy',
  status: 409,
  title: 'Another request is changing the channel; try again.',
});
export const typeNotOffered = defineError({
  code: 'live.type_not_offered',
  status: 422,
  title: 'Channels of this type are not offered.',
});
export const liveUnavailable = defineError({
  code: 'live.unavailable',
  status: 503,
  title: 'The service that carries live streams does not answer; try again in a moment.',
});
