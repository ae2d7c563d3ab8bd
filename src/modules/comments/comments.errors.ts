import { defineError } from '../../shared/errors.ts';

export const commentNotFound = defineError({
  code: 'comments.not_found',
  status: 404,
  title: 'There is no such comment.',
});
export const commentsOff = defineError({
  code: 'comments.off',
  status: 403,
  title: 'The owner of this video takes no comments on it.',
});
export const parentNotAvailable = defineError({
  code: 'comments.parent_not_available',
  status: 422,
  title: 'The comment to be answered is not there: it must be one others see, on the same video.',
});
export const commentNotEditable = defineError({
  code: 'comments.not_editable',
  status: 409,
  title: 'The owner of the video has rejected this comment; it can only be deleted.',
});
export const commentNotShown = defineError({
  code: 'comments.not_shown',
  status: 409,
  title: 'Only a comment that others see can be pinned, hearted or liked.',
});
export const commentNotTop = defineError({
  code: 'comments.not_top_level',
  status: 409,
  title: 'Only a comment that answers no other can be pinned.',
});
