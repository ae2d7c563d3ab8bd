import type { ChannelRules } from '../../src/modules/chat/policy/rules.ts';
import { type ChatSettings, openSettings, type RoomFacts } from './protocol.ts';

/** Which stream the room belongs to, what holds in its channel, and whether it is over. */
export interface RoomRecord {
  /** Undefined before anybody came. */
  facts(): RoomFacts | undefined;
  settings(): ChatSettings;
  /** Takes note of the room, the first time. */
  open(room: RoomFacts): void;
  /** @returns whether the settings are other than before; those of an earlier version change nothing. */
  set(settings: ChatSettings, version: number): boolean;
  /** What else holds in the channel; undefined before it was asked for. */
  rules(): ChannelRules | undefined;
  setRules(rules: ChannelRules): void;
  isClosed(): boolean;
  close(): void;
}

export function createRoomRecord(sql: SqlStorage): RoomRecord {
  const read = <T>(name: string): T | undefined => {
    const [row] = sql.exec<{ value: string }>('SELECT value FROM facts WHERE name = ?', name).toArray();
    return row === undefined ? undefined : (JSON.parse(row.value) as T);
  };
  const write = (name: string, value: unknown): void => {
    sql.exec(
      'INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      name,
      JSON.stringify(value),
    );
  };
  let facts = read<RoomFacts>('room');
  let rules = read<ChannelRules>('rules');

  return {
    facts: () => facts,
    settings: () => facts?.settings ?? openSettings,
    open(room) {
      if (facts !== undefined) return;
      facts = room;
      write('room', room);
    },
    set(settings, version) {
      if (facts === undefined || version < facts.version) return false;
      const isOther = JSON.stringify(settings) !== JSON.stringify(facts.settings);
      facts = { ...facts, settings, version };
      write('room', facts);
      return isOther;
    },
    rules: () => rules,
    setRules(stated) {
      rules = stated;
      write('rules', stated);
    },
    isClosed: () => read('closed') !== undefined,
    close: () => write('closed', true),
  };
}
