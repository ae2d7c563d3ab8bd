export {
  type ChannelChange,
  changeChannel,
  nextVersion,
  selectChange,
} from './actions.repository.ts';
export { eraseChat, eraseRooms } from './archive.repository.ts';
export { chatMessages } from './archive.table.ts';
export { chatChannelRoutes } from './channel.routes.ts';
export { chatRoutes } from './chat.routes.ts';

export {
  chatActions,
  chatBans,
  chatBots,
  chatOpenRooms,
  chatRoles,
  chatSettings,
  chatTerms,
  chatUnbanRequests,
  chatWarnings,
} from './chat.table.ts';
export { chatModerationRoutes } from './moderation.routes.ts';
export { chatProfilesRoutes } from './profiles.routes.ts';
export { chatProfiles } from './profiles.table.ts';
export { chatReplayRoutes } from './replay.routes.ts';
export { tellRooms } from './usecases/tell-rooms.ts';
