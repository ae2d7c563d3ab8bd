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
export const sentAway = defineError({
  code: 'live.sent_away',
  status: 403,
  title: 'The owner of this stream does not let you watch it.',
});
export const noDvr = defineError({
  code: 'live.no_dvr',
  status: 409,
  title: 'Nobody can go back in this stream: it is not recorded, or its recording has not begun yet.',
});
export const cannotSendSelfAway = defineError({
  code: 'live.self',
  status: 422,
  title: 'You cannot send yourself away.',
});
export const tooMuchMetadata = defineError({
  code: 'live.too_much_metadata',
  status: 429,
  title: 'A stream takes five pieces of metadata a second; try again.',
});
export const playbackNotConfigured = defineError({
  code: 'live.playback_not_configured',
  status: 503,
  title: 'Live streams cannot be played yet: this deployment has no playback key.',
});
export const liveUnavailable = defineError({
  code: 'live.unavailable',
  status: 503,
  title: 'The service that carries live streams does not answer; try again in a moment.',
});
