/** Every table, for tools and for the test that holds them against the migrated schema. Repositories import their own. */
export * from '../modules/accounts/accounts.table.ts';

export * from '../modules/admin/admin.table.ts';
export * from '../modules/api-keys/api-keys.table.ts';
export * from '../modules/auth/account-tokens.table.ts';
export * from '../modules/auth/auth.table.ts';
export * from '../modules/auth/challenges.table.ts';
export * from '../modules/comments/comments.table.ts';
export * from '../modules/delivery/invalidations.table.ts';
export * from '../modules/factors/factors.table.ts';
export * from '../modules/factors/phones.table.ts';
export * from '../modules/feeds/feeds.table.ts';
export * from '../modules/graph/graph.table.ts';
export * from '../modules/history/history.table.ts';
export * from '../modules/identities/identities.table.ts';
export * from '../modules/mail/mail.table.ts';
export * from '../modules/members/members.table.ts';
export * from '../modules/passkeys/passkeys.table.ts';
export * from '../modules/playlists/playlists.table.ts';
export * from '../modules/posts/posts.table.ts';
export * from '../modules/users/birth-dates.table.ts';
export * from '../modules/users/users.table.ts';
export * from '../modules/videos/ratings.table.ts';
export * from '../modules/videos/videos.table.ts';
export * from '../modules/views/views.table.ts';
export * from './audit.table.ts';
export * from './outbox.table.ts';
