import { encodeId } from '../../shared/ids.ts';
import { presentUserSummary, type UserSummaryRow } from '../users/index.ts';
import type { ActionRow } from './actions.repository.ts';
import type { TermRow } from './settings.repository.ts';
import type { StandingRow } from './standing.repository.ts';
import type { UnbanRequestRow } from './unban-requests.repository.ts';
import type { Shield } from './usecases/channel-rules.ts';

export const presentShield = ({ isUp, preset }: Shield) => ({ is_up: isUp, preset });

export const presentTerm = ({ id, kind, term, addedAt }: TermRow) => ({
  id: encodeId('chatTerm', id),
  kind,
  term,
  added_at: addedAt,
});

export const presentMyUnbanRequest = ({ id, text, state, note, createdAt, decidedAt }: UnbanRequestRow) => ({
  id: encodeId('unbanRequest', id),
  text,
  state,
  note,
  created_at: createdAt,
  decided_at: decidedAt,
});

export const presentUnbanRequest = (
  row: UnbanRequestRow & { readonly user: UserSummaryRow },
  cdnBaseUrl: string,
) => ({ ...presentMyUnbanRequest(row), user: presentUserSummary(row.user, cdnBaseUrl) });

export const presentStanding = (row: StandingRow & { readonly request: UnbanRequestRow | undefined }) => ({
  role: row.role,
  warning: row.warning,
  ban:
    row.ban === null
      ? null
      : {
          until: row.ban.untilMs === null ? null : new Date(row.ban.untilMs).toISOString(),
          reason: row.ban.reason,
        },
  unban_request: row.request === undefined ? null : presentMyUnbanRequest(row.request),
});

const presentPerson = (row: ActionRow['actor']) =>
  row === null ? null : { id: encodeId('user', row.id), username: row.username };

export const presentAction = (row: ActionRow) => ({
  id: encodeId('chatAction', row.id),
  at: row.at,
  kind: row.kind,
  actor: presentPerson(row.actor),
  target: presentPerson(row.target),
  stream_id: row.streamId === null ? null : encodeId('stream', row.streamId),
  message_id: row.messageId === null ? null : encodeId('chatMessage', row.messageId),
  reason: row.reason,
  detail: row.detail,
});
