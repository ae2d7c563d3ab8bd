import { defineError } from '../../shared/errors.ts';

export const playlistNotFound = defineError({
  code: 'playlists.not_found',
  status: 404,
  title: 'There is no such playlist.',
});
export const playlistItemNotFound = defineError({
  code: 'playlists.item_not_found',
  status: 404,
  title: 'There is no such item in a playlist of yours.',
});
export const tooManyPlaylists = defineError({
  code: 'playlists.too_many',
  status: 409,
  title: 'You have as many playlists as an account may have; delete one first.',
});
export const playlistFull = defineError({
  code: 'playlists.full',
  status: 409,
  title: 'The playlist holds as many videos as it may; remove one first.',
});
export const alreadyInPlaylist = defineError({
  code: 'playlists.already_in_list',
  status: 409,
  title: 'The video is in the playlist already, and the playlist takes each only once.',
});
export const playlistBuiltIn = defineError({
  code: 'playlists.built_in',
  status: 409,
  title: 'This playlist is built in: it cannot be changed or deleted, only its videos.',
});
export const videoNotAvailable = defineError({
  code: 'playlists.video_not_available',
  status: 422,
  title: 'There is no such video for you to add.',
});
export const anchorNotAvailable = defineError({
  code: 'playlists.anchor_not_available',
  status: 422,
  title: 'The item to stand after is not, or no longer, another one of the same playlist.',
});
