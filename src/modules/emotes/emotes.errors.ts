import { defineError } from '../../shared/errors.ts';

export const emoteNotFound = defineError({
  code: 'emotes.not_found',
  status: 404,
  title: 'There is no such emote.',
});
export const emoteUnusable = defineError({
  code: 'emotes.unusable',
  status: 422,
  title: 'This picture cannot be an emote.',
});
export const emoteNameTaken = defineError({
  code: 'emotes.name_taken',
  status: 409,
  title: 'Every chat, or yours, has an emote of this name.',
});
export const tooManyEmotes = defineError({
  code: 'emotes.too_many',
  status: 409,
  title: 'A channel has at most 100 emotes: delete one first.',
});
export const emotePictureGone = defineError({
  code: 'emotes.picture_gone',
  status: 409,
  title: 'The picture of this emote is gone: reject it, so that its owner sends it again.',
});
export const emoteDecided = defineError({
  code: 'emotes.decided',
  status: 409,
  title: 'Somebody has decided on this emote already.',
});
