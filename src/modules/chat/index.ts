export { eraseChat, eraseRooms } from './archive.repository.ts';
export { chatMessages } from './archive.table.ts';
export { chatRoutes } from './chat.routes.ts';
export { chatBans, chatRoles, chatSettings } from './chat.table.ts';
export { chatProfilesRoutes } from './profiles.routes.ts';
export { chatProfiles } from './profiles.table.ts';
