import { encodeId } from '../../shared/ids.ts';
import type { UserSummary } from './users.schemas.ts';

/** What a repository must select of a user to present them; `userSummaryJson` selects exactly this. */
export interface UserSummaryRow {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly avatarKey: string | null;
}

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`, under which stored keys are public. */
export const presentUserSummary = (user: UserSummaryRow, cdnBaseUrl: string): UserSummary => ({
  id: encodeId('user', user.id),
  username: user.username,
  display_name: user.displayName,
  avatar_url: avatarUrl(user.avatarKey, cdnBaseUrl),
});

export const avatarUrl = (key: string | null, cdnBaseUrl: string): string | null =>
  key === null ? null : `${cdnBaseUrl}/${key.split('/').map(encodeURIComponent).join('/')}`;
