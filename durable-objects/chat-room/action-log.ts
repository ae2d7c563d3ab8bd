import { decodeId, randomIds } from '../../src/shared/ids.ts';
import type { Outcome } from './acts.ts';
import type { ChatterFacts, LoggedAction, ModeratorAct } from './protocol.ts';

/** Actions written down in one statement. */
const maxLogged = 100;

/** What was done in this room and is yet to be written down in the database. */
export interface ActionLog {
  /** In the transaction in which it was done. */
  note(action: LoggedAction): void;
  /** @returns whether all is written down. */
  flush(write: (actions: readonly LoggedAction[]) => Promise<void>): Promise<boolean>;
}

export function createActionLog(sql: SqlStorage): ActionLog {
  return {
    note(action) {
      sql.exec('INSERT INTO unlogged (id, action) VALUES (?, ?)', action.id, JSON.stringify(action));
    },
    async flush(write) {
      for (;;) {
        const rows = sql
          .exec<{ id: string; action: string }>(
            'SELECT id, action FROM unlogged ORDER BY id LIMIT ?',
            maxLogged,
          )
          .toArray();
        if (rows.length === 0) return true;
        try {
          await write(rows.map(({ action }) => JSON.parse(action) as LoggedAction));
        } catch {
          return false;
        }
        for (const { id } of rows) sql.exec('DELETE FROM unlogged WHERE id = ?', id);
      }
    },
  };
}

/** An act as it is written down; undefined for those that are where they were decided, since they hold for the channel. */
export function loggedAction(
  act: ModeratorAct,
  { targetId }: Outcome,
  by: ChatterFacts,
  nowMs: number,
): LoggedAction | undefined {
  const told = detailOf(act);
  if (told === undefined) return undefined;
  const messageId = 'messageId' in act ? decodeId('chatMessage', act.messageId) : undefined;
  return {
    id: randomIds.next(),
    at: new Date(nowMs).toISOString(),
    actor_id: by.userId,
    kind: told.kind,
    target_id: targetId ?? null,
    message_id: messageId ?? null,
    detail: told.detail,
  };
}

function detailOf(act: ModeratorAct): Pick<LoggedAction, 'kind' | 'detail'> | undefined {
  switch (act.kind) {
    case 'delete archived':
      return { kind: 'delete', detail: {} };
    case 'delete':
    case 'clear':
    case 'pin':
    case 'unpin':
      return { kind: act.kind, detail: {} };
    case 'announce':
      return { kind: 'announce', detail: { text: act.text } };
    case 'open poll':
      return { kind: 'open_poll', detail: { title: act.title, choices: act.choices, seconds: act.seconds } };
    case 'close poll':
      return { kind: 'close_poll', detail: {} };
    case 'judge':
      return { kind: act.outcome === 'approved' ? 'approve' : 'deny', detail: {} };
    default:
      return undefined;
  }
}
