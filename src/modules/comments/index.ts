export { commentHandlers } from './comments.handlers.ts';
export { commentsRoutes } from './comments.routes.ts';
export { commentLikes, commentSettings, comments } from './comments.table.ts';
export { eraseCommentLikes, eraseComments } from './erasure.repository.ts';
export { commentModerationRoutes } from './moderation.routes.ts';
