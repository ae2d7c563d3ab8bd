import { defineError } from '../../shared/errors.ts';

export const notModerator = defineError({
  code: 'chat.not_moderator',
  status: 403,
  title: 'Only the owner of the channel and its moderators may do that.',
});
export const aboveModerators = defineError({
  code: 'chat.not_against_them',
  status: 403,
  title: 'Nobody can do that to the owner, to themselves, or, but for the owner, to moderators.',
});
export const nothingToModerate = defineError({
  code: 'chat.nothing_to_do',
  status: 409,
  title: 'Somebody did that already, or the message is gone.',
});
export const afterIsGone = defineError({
  code: 'chat.resync',
  status: 409,
  title: 'What came after this number is no longer kept; read from the latest messages on.',
});
export const noSuchPoll = defineError({
  code: 'chat.no_such_poll',
  status: 409,
  title: 'This poll is over, or there is none.',
});
export const noSuchChoice = defineError({
  code: 'chat.no_such_choice',
  status: 422,
  title: 'The poll has no such choice.',
});
export const votedAlready = defineError({
  code: 'chat.voted_already',
  status: 409,
  title: 'You have voted in this poll.',
});
export const bannedFromChat = defineError({
  code: 'chat.banned',
  status: 403,
  title: 'You are banned from this chat.',
});
export const roleForSelf = defineError({
  code: 'chat.role_for_self',
  status: 422,
  title: 'The channel is yours: you need no role in its chat. Name somebody else.',
});
export const messageTooOld = defineError({
  code: 'chat.message_too_old',
  status: 409,
  title: 'Only messages of the last six hours can be deleted.',
});
export const noWarning = defineError({
  code: 'chat.no_warning',
  status: 409,
  title: 'There is no warning for you to acknowledge.',
});
export const notBanned = defineError({
  code: 'chat.not_banned',
  status: 409,
  title: 'You are not banned from this chat.',
});
export const askedAlready = defineError({
  code: 'chat.asked_already',
  status: 409,
  title: 'You have asked to be unbanned; each ban can be asked about once.',
});
export const noSuchUnbanRequest = defineError({
  code: 'chat.no_such_unban_request',
  status: 404,
  title: 'Nobody asked this channel that.',
});
export const noSuchTerm = defineError({
  code: 'chat.no_such_term',
  status: 404,
  title: 'The channel has no such term.',
});
export const tooManyTerms = defineError({
  code: 'chat.too_many_terms',
  status: 409,
  title: 'The channel has as many terms as it can; remove one first.',
});
