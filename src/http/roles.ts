/** Roles an account may have. Everybody has `user`. */
export const roles = ['user', 'creator', 'moderator', 'advertiser', 'admin'] as const;

export type Role = (typeof roles)[number];

/** What an API key may be granted. `read` never implies `write`, nor the other way round. */
export const apiKeyScopes = [
  'profile:read',
  'profile:write',
  'graph:read',
  'graph:write',
  'posts:read',
  'posts:write',
  'feeds:read',
  'videos:read',
  'videos:write',
  'analytics:read',
  'webhooks:read',
  'webhooks:write',
  'comments:read',
  'comments:write',
  'playlists:read',
  'playlists:write',
  'history:read',
  'history:write',
  'live:write',
] as const;

export type ApiKeyScope = (typeof apiKeyScopes)[number];
