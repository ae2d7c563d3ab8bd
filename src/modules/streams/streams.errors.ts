import { defineError } from '../../shared/errors.ts';

export const streamNotFound = defineError({
  code: 'streams.not_found',
  status: 404,
  title: 'There is no such stream, or you may not see it.',
});
export const streamNotLive = defineError({
  code: 'streams.not_live',
  status: 409,
  title: 'The stream is not live.',
});
export const tooManyStreams = defineError({
  code: 'streams.too_many',
  status: 409,
  title: 'No more streams can be announced; cancel one first.',
});
export const scheduledInThePast = defineError({
  code: 'streams.scheduled_in_the_past',
  status: 422,
  title: 'A stream can only be announced for a time to come.',
});
export const streamBegun = defineError({
  code: 'streams.begun',
  status: 409,
  title: 'A stream that has begun cannot be canceled; stop it.',
});
