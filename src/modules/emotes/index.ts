export { type ChannelEmote, listChannelEmotes } from './emotes.repository.ts';
export { emotesRoutes } from './emotes.routes.ts';
export { emotes } from './emotes.table.ts';
export { eraseEmotes } from './usecases/erase-emotes.ts';
