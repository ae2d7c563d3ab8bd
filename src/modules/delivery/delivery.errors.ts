import { defineError } from '../../shared/errors.ts';

export const oembedFormatUnknown = defineError({
  code: 'oembed.format_not_implemented',
  status: 501,
  title: 'Only the format json is spoken here.',
});
