import { defineError } from '../../shared/errors.ts';

export const postNotFound = defineError({
  code: 'posts.not_found',
  status: 404,
  title: 'There is no such post.',
});
export const videoNotAvailable = defineError({
  code: 'posts.video_not_available',
  status: 422,
  title: 'The video cannot be attached: it must be your own, published, and not private.',
});
