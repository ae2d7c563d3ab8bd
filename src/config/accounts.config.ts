import { integer } from './fields.ts';
import { defineSection } from './section.ts';

export const accountsSection = defineSection('Accounts', {
  usernameChangeDays: {
    env: 'USERNAME_CHANGE_DAYS',
    schema: integer(0, 365),
    default: '30',
    unit: 'days',
    doc: 'How long after a change of username the next one is refused. Changes of case only are always allowed.',
  },
  usernameReservationDays: {
    env: 'USERNAME_RESERVATION_DAYS',
    schema: integer(0, 3_650),
    default: '90',
    unit: 'days',
    doc: 'How long a username that was given up can be taken by nobody but its former owner.',
  },
  deletionGraceDays: {
    env: 'ACCOUNT_DELETION_GRACE_DAYS',
    schema: integer(0, 90),
    default: '30',
    unit: 'days',
    doc: 'How long the deletion of an account can be cancelled before everything is erased.',
  },
  deletionReminderDays: {
    env: 'ACCOUNT_DELETION_REMINDER_DAYS',
    schema: integer(0, 10),
    default: '3',
    unit: 'days',
    doc: 'How long before an account is erased its owner is reminded by mail; 0 for no reminder.',
  },
  exportsPerDay: {
    env: 'DATA_EXPORTS_PER_DAY',
    schema: integer(1, 100),
    default: '2',
    doc: 'Exports of their data one user may ask for within 24 hours.',
  },
  exportRetentionDays: {
    env: 'DATA_EXPORT_RETENTION_DAYS',
    schema: integer(1, 30),
    default: '7',
    unit: 'days',
    doc: 'How long a finished export can be downloaded.',
  },
  exportLinkSeconds: {
    env: 'DATA_EXPORT_LINK_SECONDS',
    schema: integer(60, 3_600),
    default: '3600',
    unit: 'seconds',
    doc: 'Life of a download link to an export; each look at the export gives a new one.',
  },
});
