import { defineError } from '../../shared/errors.ts';

export const cannotFollowSelf = defineError({
  code: 'graph.self_follow',
  status: 422,
  title: 'You cannot follow yourself.',
});
export const cannotBlockSelf = defineError({
  code: 'graph.self_block',
  status: 422,
  title: 'You cannot block yourself.',
});
export const followBlocked = defineError({
  code: 'graph.blocked',
  status: 403,
  title: 'You block this user; unblock them before you follow them.',
});
