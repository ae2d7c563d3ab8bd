export { commentHandlers } from './comments.handlers.ts';
export { commentLikes, commentSettings, comments } from './comments.table.ts';
export { eraseCommentLikes, eraseComments } from './erasure.repository.ts';
