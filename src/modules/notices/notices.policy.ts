import type { SecurityNotice } from './notices.events.ts';

interface NoticeText {
  readonly subject: string;
  readonly happened: string;
  readonly advice: string;
}

const secure =
  'If this was not you, somebody else may have access to your account: reset your password, end all sessions, and check your second factors.';
const support = 'If you think this is a mistake, write to our support from this address.';

/** What an owner is told of each notice, and what to do if it was not them. */
export const noticeTexts: Readonly<Record<SecurityNotice, NoticeText>> = {
  new_device: {
    subject: 'New login to your account',
    happened: 'Somebody logged in to your account from a device or country that is new to it.',
    advice: secure,
  },
  password_changed: {
    subject: 'Your password was changed',
    happened: 'The password of your account was changed, and all other sessions were ended.',
    advice: secure,
  },
  password_reset: {
    subject: 'Your password was reset',
    happened:
      'The password of your account was reset by a link sent to this mailbox. All sessions were ended.',
    advice:
      'If this was not you, somebody else may read your mail: change the password of your mailbox first, then reset your password here.',
  },
  email_changed: {
    subject: 'The e-mail address of your account was changed',
    happened: 'Your account has another e-mail address now.',
    advice:
      'If this was not you, log in with your username, change your password and end all sessions. If you cannot log in any more, write to our support from the old address.',
  },
  phone_changed: {
    subject: 'The phone number of your account was changed',
    happened: 'The phone number of your account was added, changed or removed.',
    advice: secure,
  },
  factor_added: {
    subject: 'A second factor was added',
    happened: 'Your account can now be confirmed by a new second factor or passkey.',
    advice: secure,
  },
  factor_removed: {
    subject: 'A second factor was removed',
    happened: 'A second factor or passkey of your account was removed.',
    advice: secure,
  },
  passkey_cloned: {
    subject: 'One of your passkeys may have been copied',
    happened:
      'A passkey of your account was used with an old signature count, as a copy of it would. The login was refused.',
    advice:
      'Remove this passkey and register a new one. If you did not use it just now, somebody else may have a copy of it.',
  },
  backup_codes_replaced: {
    subject: 'Your backup codes were replaced',
    happened: 'New backup codes were made for your account. The old ones do not work any more.',
    advice: secure,
  },
  provider_linked: {
    subject: 'A login by another service was added',
    happened: 'Your account can now be opened through an account at another service.',
    advice: secure,
  },
  provider_unlinked: {
    subject: 'A login by another service was removed',
    happened: 'Your account cannot be opened through this other service any more.',
    advice: secure,
  },
  api_key_created: {
    subject: 'An API key was made',
    happened: 'A key was made that lets programs act for your account.',
    advice:
      'If this was not you, delete the key, reset your password and end all sessions: somebody else may have access.',
  },
  username_changed: {
    subject: 'Your username was changed',
    happened: 'Your account has a new username.',
    advice: secure,
  },
  roles_changed: {
    subject: 'The rights of your account were changed',
    happened: 'An administrator changed what your account may do.',
    advice: support,
  },
  birth_date_cleared: {
    subject: 'Your date of birth was cleared',
    happened: 'The date of birth of your account was cleared by our support. You can state it again, once.',
    advice: support,
  },
  account_suspended: {
    subject: 'Your account was suspended',
    happened: 'Your account was suspended. Nobody can log in to it for now.',
    advice: support,
  },
  account_unsuspended: {
    subject: 'Your account is open again',
    happened: 'The suspension of your account has ended. You can log in again.',
    advice: support,
  },
  account_deactivated: {
    subject: 'Your account was deactivated',
    happened: 'Your account was deactivated and is not shown to others any more.',
    advice: secure,
  },
  account_reactivated: {
    subject: 'Your account is active again',
    happened: 'Your account was activated again and is shown to others.',
    advice: secure,
  },
  deletion_requested: {
    subject: 'Your account will be deleted',
    happened: 'The deletion of your account was asked for. Until it happens you can still take it back.',
    advice:
      'If this was not you, reset your password now and reactivate your account with it, which cancels the deletion.',
  },
  deletion_reminder: {
    subject: 'Your account will be deleted soon',
    happened:
      'Your account and all you published will be erased in a few days. After that nothing can be brought back.',
    advice:
      'If you did not ask for this, or changed your mind, reactivate your account before then, which cancels the deletion.',
  },
  deletion_cancelled: {
    subject: 'Your account will not be deleted',
    happened: 'The deletion of your account was cancelled.',
    advice: secure,
  },
  export_ready: {
    subject: 'Your data is ready',
    happened: 'The copy of your data you asked for is ready. Log in to get it.',
    advice:
      'If you did not ask for it, somebody else may have access to your account: reset your password and end all sessions.',
  },
  webhook_endpoint_added: {
    subject: 'A webhook endpoint was added',
    happened: 'From now on, what happens to your videos is also sent to this address.',
    advice:
      'If this was not you, delete the endpoint, reset your password and end all sessions: somebody else may have access.',
  },
  webhook_endpoint_disabled: {
    subject: 'A webhook endpoint was disabled',
    happened:
      'One of your webhook endpoints answered that it is gone, or took nothing for days. It gets no events any more, and what waited for it was given up.',
    advice:
      'If you did not mean this, mend the endpoint, enable it, and let what failed be sent again; the log of its deliveries says what it answered.',
  },
};

/** `device_name` -> `Device name`. */
export const factLabel = (key: string): string => {
  const words = key.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
};

/** `2026-11-26 19:20 UTC`. */
export const readableTime = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
