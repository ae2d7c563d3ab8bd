import { defineError } from '../../shared/errors.ts';

export const captionsNotFound = defineError({
  code: 'captions.not_found',
  status: 404,
  title: 'There are no captions in this language.',
});
export const captionsMalformed = defineError({
  code: 'captions.malformed',
  status: 422,
  title: 'These are no captions we can read; what is wrong stands under errors.',
});
export const tooManyTracks = defineError({
  code: 'captions.too_many',
  status: 409,
  title: 'The video has as many caption tracks as it may; take one away first.',
});
export const sideFileMissing = defineError({
  code: 'side_files.missing',
  status: 422,
  title: 'There is no such file of yours, or it has not been sent yet.',
});
export const watermarkNotFound = defineError({
  code: 'watermark.not_found',
  status: 404,
  title: 'You have no watermark.',
});
export const watermarkUnusable = defineError({
  code: 'watermark.unusable',
  status: 422,
  title: 'A watermark must be a PNG of 16 to 2,000 pixels a side.',
});
export const clipOutside = defineError({
  code: 'clips.outside',
  status: 422,
  title: 'The clip must lie within the film and last at least a second.',
});
export const clipSourceNotReady = defineError({
  code: 'clips.source_not_ready',
  status: 409,
  title: 'Only a published video whose original file is kept can be clipped.',
});
export const alreadyEncoded = defineError({
  code: 'videos.already_encoded',
  status: 409,
  title: 'What is drawn into the picture can be chosen only until the film is converted.',
});
