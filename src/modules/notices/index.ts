export type { SecurityNotice } from './notices.events.ts';
export { noticeHandlers } from './notices.handlers.ts';
export { newSecurityNotice } from './usecases/new-notice.ts';
