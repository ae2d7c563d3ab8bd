import { defineError } from '../../shared/errors.ts';

export const usernameChangedRecently = defineError({
  code: 'accounts.username_changed_recently',
  status: 409,
  title: 'The username was changed not long ago; Retry-After says when it may be changed again.',
});
export const administratorStays = defineError({
  code: 'accounts.administrator_stays',
  status: 409,
  title: 'An administrator cannot close the account; have another administrator take the role away first.',
});
export const noWayBack = defineError({
  code: 'accounts.no_way_back',
  status: 409,
  title:
    'Nothing could open the account again: set a password, verify the e-mail address or add a passkey first.',
});
export const exportRunning = defineError({
  code: 'accounts.export_running',
  status: 409,
  title: 'An export of this account is being made already.',
});
export const exportLimit = defineError({
  code: 'accounts.export_limit',
  status: 429,
  title: 'No more exports today; Retry-After says when the next one may be asked for.',
});
export const exportNotFound = defineError({
  code: 'accounts.export_not_found',
  status: 404,
  title: 'There is no such export, or it has expired.',
});
