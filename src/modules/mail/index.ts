export { composeMail, type Letter } from './mail.policy.ts';
export { findRecipient, type RecipientRow } from './mail.repository.ts';
export { mailDeliveries } from './mail.table.ts';
export { deliverMail } from './mail.usecases.ts';
