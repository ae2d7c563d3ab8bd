import { type ChatSettings, openSettings, type RoomFacts } from './protocol.ts';

/** Which stream the room belongs to, and whether it is over. */
export interface RoomRecord {
  /** Undefined before anybody came. */
  facts(): RoomFacts | undefined;
  settings(): ChatSettings;
  /** Takes note of the room, the first time. */
  open(room: RoomFacts): void;
  set(settings: ChatSettings): void;
  isClosed(): boolean;
  close(): void;
}

export function createRoomRecord(sql: SqlStorage): RoomRecord {
  const [row] = sql.exec<{ value: string }>("SELECT value FROM facts WHERE name = 'room'").toArray();
  let known = row === undefined ? undefined : (JSON.parse(row.value) as RoomFacts);

  const save = (room: RoomFacts): void => {
    known = room;
    sql.exec(
      "INSERT INTO facts (name, value) VALUES ('room', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      JSON.stringify(room),
    );
  };

  return {
    facts: () => known,
    settings: () => known?.settings ?? openSettings,
    open(room) {
      if (known === undefined) save(room);
    },
    set(settings) {
      if (known !== undefined) save({ ...known, settings });
    },
    isClosed: () => sql.exec("SELECT 1 FROM facts WHERE name = 'closed'").toArray().length > 0,
    close() {
      sql.exec("INSERT INTO facts (name, value) VALUES ('closed', 'true')");
    },
  };
}
