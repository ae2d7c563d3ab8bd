import { encodeId } from '../../shared/ids.ts';
import type { Account, UserProfile, UserSummary } from './users.schemas.ts';

/** What a repository must select of a user to present them; `userSummaryJson` selects exactly this. */
export interface UserSummaryRow {
  readonly id: string;
  readonly username: string;
  readonly displayName: string;
  readonly avatarKey: string | null;
}

export interface ProfileRow extends UserSummaryRow {
  readonly bio: string;
  readonly website: string | null;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly followers: number;
  readonly following: number;
  readonly posts: number;
}

/** How the caller and the shown user stand to each other. */
export interface ViewerRow {
  readonly isFollowing: boolean;
  readonly followedBy: boolean;
  readonly blocking: boolean;
}

export interface AccountRow extends ProfileRow {
  readonly email: string;
  readonly emailVerified: boolean;
  readonly roles: string[];
  /** RFC 3339, UTC. */
  readonly updatedAt: string;
}

/** `cdnBaseUrl` is `ctx.config.aws.cdnBaseUrl`, under which stored keys are public. */
export const presentUserSummary = (user: UserSummaryRow, cdnBaseUrl: string): UserSummary => ({
  id: encodeId('user', user.id),
  username: user.username,
  display_name: user.displayName,
  avatar_url: avatarUrl(user.avatarKey, cdnBaseUrl),
});

export const presentProfile = (
  user: ProfileRow,
  viewer: ViewerRow | undefined,
  cdnBaseUrl: string,
): UserProfile => ({
  ...presentProfileFields(user, cdnBaseUrl),
  ...(viewer === undefined
    ? {}
    : {
        viewer: {
          is_following: viewer.isFollowing,
          followed_by: viewer.followedBy,
          blocking: viewer.blocking,
        },
      }),
});

export const presentAccount = (user: AccountRow, cdnBaseUrl: string): Account => ({
  ...presentProfileFields(user, cdnBaseUrl),
  email: user.email,
  email_verified: user.emailVerified,
  roles: user.roles,
  updated_at: user.updatedAt,
});

const presentProfileFields = (user: ProfileRow, cdnBaseUrl: string) => ({
  ...presentUserSummary(user, cdnBaseUrl),
  bio: user.bio,
  website: user.website,
  created_at: user.createdAt,
  counters: { followers: user.followers, following: user.following, posts: user.posts },
});

const avatarUrl = (key: string | null, cdnBaseUrl: string): string | null =>
  key === null ? null : `${cdnBaseUrl}/${key.split('/').map(encodeURIComponent).join('/')}`;
