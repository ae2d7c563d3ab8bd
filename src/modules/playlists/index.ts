export { playlistItemsRoutes } from './items.routes.ts';
export { playlistsRoutes } from './playlists.routes.ts';
export { playlistItems, playlists } from './playlists.table.ts';
