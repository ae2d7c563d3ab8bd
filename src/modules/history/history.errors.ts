import { defineError } from '../../shared/errors.ts';

export const historyEntryNotFound = defineError({
  code: 'history.not_found',
  status: 404,
  title: 'The video is not in your watch history.',
});
