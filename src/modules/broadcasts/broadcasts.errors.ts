import { defineError } from '../../shared/errors.ts';

export const streamNotStopped = defineError({
  code: 'streams.not_stopped',
  status: 503,
  title: 'The stream could not be stopped just now; try again.',
});
export const healthUnknown = defineError({
  code: 'streams.health_unknown',
  status: 503,
  title: 'How the stream is fed could not be asked just now; try again.',
});
export const tooManyMarkers = defineError({
  code: 'streams.too_many_markers',
  status: 409,
  title: 'No more moments of this stream can be marked.',
});
export const clipsOff = defineError({
  code: 'streams.clips_off',
  status: 403,
  title: 'The owner of this stream lets nobody cut clips out of it.',
});
export const tooManyClips = defineError({
  code: 'streams.too_many_clips',
  status: 429,
  title: 'You have cut as many clips out of this stream as one may within an hour.',
});
export const notRecorded = defineError({
  code: 'streams.not_recorded',
  status: 409,
  title: 'The stream is not recorded, so that no clip can be cut out of it.',
});
