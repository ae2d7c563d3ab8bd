SET lock_timeout = '2s';

DROP TABLE playlist_items;
DROP TABLE playlists;
