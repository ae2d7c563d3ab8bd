export { EmailRefused, type Mail, sendEmail } from './ses.ts';
