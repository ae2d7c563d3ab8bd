export { type SmsOutcome, sendTextMessage, type TextMessage } from './twilio.ts';
