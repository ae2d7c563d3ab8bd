// AUTOINCREMENT: a sequence number is never given out twice, even after every event was pruned.
export const chatRoomMigrations: readonly string[] = [
  `CREATE TABLE events (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     at_ms INTEGER NOT NULL,
     author_id TEXT,
     client_id TEXT,
     message_id TEXT,
     text TEXT,
     kept INTEGER NOT NULL,
     mentions TEXT NOT NULL,
     event TEXT NOT NULL
   );
   CREATE UNIQUE INDEX events_sent ON events (author_id, client_id) WHERE client_id IS NOT NULL;
   CREATE UNIQUE INDEX events_message ON events (message_id) WHERE message_id IS NOT NULL;
   CREATE INDEX events_text ON events (text) WHERE text IS NOT NULL;
   CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE chatters (
     user_id TEXT PRIMARY KEY,
     facts TEXT NOT NULL,
     known_at_ms INTEGER NOT NULL,
     sent_at TEXT NOT NULL DEFAULT '[]',
     last_text TEXT
   ) WITHOUT ROWID;
   CREATE TABLE bans (
     user_id TEXT PRIMARY KEY,
     ban TEXT NOT NULL,
     set_at_ms INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE relays (
     number INTEGER PRIMARY KEY,
     region TEXT NOT NULL,
     sockets INTEGER NOT NULL,
     seen_at_ms INTEGER NOT NULL
   );`,
  `CREATE TABLE polls (
     id TEXT NOT NULL,
     title TEXT NOT NULL,
     choices TEXT NOT NULL,
     ends_at_ms INTEGER NOT NULL,
     ended INTEGER NOT NULL
   );
   CREATE TABLE votes (
     poll_id TEXT NOT NULL,
     user_id TEXT NOT NULL,
     choice INTEGER NOT NULL,
     PRIMARY KEY (poll_id, user_id)
   ) WITHOUT ROWID;`,
  // How the room is watched and written in: a few rows in all, and one for each minute that is not in the database yet.
  `CREATE TABLE tally (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
   CREATE TABLE tally_minutes (
     minute INTEGER PRIMARY KEY,
     messages INTEGER NOT NULL,
     chatters INTEGER NOT NULL,
     positive INTEGER NOT NULL,
     negative INTEGER NOT NULL,
     score REAL NOT NULL,
     peak_viewers INTEGER NOT NULL,
     viewer_ms INTEGER NOT NULL,
     watched_ms INTEGER NOT NULL
   );
   ALTER TABLE relays ADD COLUMN viewers INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE chatters ADD COLUMN relay INTEGER;`,
  // What was decided about people counts for more than what the database said before; by the version of the channel.
  `DROP TABLE bans;
   CREATE TABLE standings (
     user_id TEXT PRIMARY KEY,
     standing TEXT NOT NULL,
     version INTEGER NOT NULL,
     set_at_ms INTEGER NOT NULL
   ) WITHOUT ROWID;
   DELETE FROM chatters;
   UPDATE facts SET value = json_set(value, '$.version', 0, '$.settings.moderator_delay_seconds', 0,
     '$.settings.shield', json('false')) WHERE name = 'room';
   ALTER TABLE chatters ADD COLUMN counted TEXT NOT NULL DEFAULT '[]';
   CREATE TABLE unlogged (id TEXT PRIMARY KEY, action TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE held (
     message_id TEXT PRIMARY KEY,
     author_id TEXT NOT NULL,
     client_id TEXT NOT NULL,
     held TEXT NOT NULL,
     state TEXT NOT NULL,
     ends_at_ms INTEGER NOT NULL
   ) WITHOUT ROWID;
   ALTER TABLE events ADD COLUMN shown_at_ms INTEGER NOT NULL DEFAULT 0;
   CREATE UNIQUE INDEX held_sent ON held (author_id, client_id);
   CREATE INDEX held_ends ON held (ends_at_ms);`,
  // How far the log has come to the database.
  `CREATE TABLE archive (seq INTEGER NOT NULL, failures INTEGER NOT NULL, next_at_ms INTEGER NOT NULL);
   INSERT INTO archive VALUES (0, 0, 0);`,
];
