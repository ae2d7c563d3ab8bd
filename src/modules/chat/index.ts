export { chatRoutes } from './chat.routes.ts';
export { chatBans, chatRoles, chatSettings } from './chat.table.ts';
