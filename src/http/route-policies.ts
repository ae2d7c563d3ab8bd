import type { LimitName } from './rate-limit/policies.ts';
import type { ApiKeyScope, Role } from './roles.ts';

/**
 * Who may call a route. Every route must say; there is no default.
 * - `public`: anyone, the caller's token is not even read.
 * - `optional`: anyone, but a caller with a token is known (a bad token is refused).
 * - `user`: a valid access token, or an API key with the route's `scope`.
 * - `webhook`: an outside system that proves itself in the handler.
 */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'optional' }
  | { readonly kind: 'user' }
  | { readonly kind: 'webhook'; readonly source: 'aws' | 'facebook' };

export interface RoutePolicy {
  readonly access: Access;
  /**
   * The caller's account needs one of these roles. Such routes are `sensitive`, so that a role taken away is gone at once; with
   * `stepUp` the account must have a second factor.
   */
  readonly roles?: readonly Role[];
  /** What an API key must have been granted to call this. Without it API keys are refused. */
  readonly scope?: ApiKeyScope;
  /**
   * Whose things the ids of the path name. `own`: only what belongs to the caller is found, all else is a 404, which SQL
   * checks too. `any`: what is open to everybody the caller may see.
   */
  readonly ids?: 'own' | 'any';
  /**
   * Which rate limit policies are charged, all or none of them; `none` only where the answer costs nothing, `edge` where only the
   * free gate by address stands before a count of the handler's own.
   */
  readonly limit: LimitName | readonly LimitName[] | 'none' | 'edge';
  /** Set on writes no database read shows soon: the client's reads go on to the replica. */
  readonly unpinned?: boolean;
  /** Points taken from the caller's budget, where that is not what its limits say (reads 1, writes 5). */
  readonly cost?: number;
  /** The purpose of the one-time tickets that open this WebSocket in place of a token. */
  readonly ticket?: 'realtime' | 'chat';
  /** Set on writes that may be repeated under an `Idempotency-Key`. */
  readonly idempotent?: boolean;
  /** Set where a session that has just ended must not get through at all; costs a hop to its guard on every call. */
  readonly sensitive?: boolean;
  /** Set where a stolen access token must not suffice: needs a recent login, by a second factor if the account has one. */
  readonly stepUp?: boolean;
  /** Set where an outside system posts a form (`application/x-www-form-urlencoded`); all others take JSON only. */
  readonly form?: boolean;
}

const anyone: Access = { kind: 'public' };
const viewer: Access = { kind: 'optional' };
const user: Access = { kind: 'user' };

/**
 * The authorisation of the whole API, by operation. A route that does not stand here answers 403 to everybody, and a test
 * fails; so does an entry without a route.
 */
export const routePolicies = {
  // Platform
  getLiveness: { access: anyone, limit: 'none' },
  getReadiness: { access: anyone, limit: 'health' },
  getOpenApiDocument: { access: anyone, limit: 'docs' },
  readDocs: { access: anyone, limit: 'docs' },
  readDocsFile: { access: anyone, limit: 'docs' },
  receiveAwsEvent: { access: { kind: 'webhook', source: 'aws' }, limit: 'webhook' },

  // Authentication
  register: { access: anyone, limit: ['auth', 'register'] },
  login: { access: anyone, limit: 'auth' },
  finishLogin: { access: anyone, limit: 'auth' },
  sendLoginCode: { access: anyone, limit: 'auth' },
  refresh: { access: anyone, limit: 'refresh' },
  reactivate: { access: anyone, limit: 'auth' },
  getJwks: { access: anyone, limit: 'read' },
  logout: { access: user, limit: 'write' },
  logoutEverywhere: { access: user, limit: 'write', sensitive: true },
  sendStepUpCode: { access: user, limit: 'write', cost: 20 },
  requestPasswordReset: { access: anyone, limit: 'mail' },
  confirmPasswordReset: { access: anyone, limit: 'auth' },
  requestEmailVerification: { access: user, limit: 'mail', sensitive: true },
  confirmEmail: { access: user, limit: 'write', sensitive: true },
  changeEmail: { access: user, limit: 'mail', stepUp: true },
  stepUp: { access: user, limit: 'write', cost: 20 },
  changePassword: { access: user, limit: 'write', cost: 40, stepUp: true },
  listMySecurityEvents: { access: user, limit: 'read', sensitive: true },
  listMySessions: { access: user, limit: 'read', sensitive: true },
  endMySession: { access: user, ids: 'own', limit: 'write', sensitive: true },

  // Second factors
  listFactors: { access: user, limit: 'read' },
  startTotp: { access: user, limit: 'write', stepUp: true },
  confirmTotp: { access: user, limit: 'write', stepUp: true },
  removeTotp: { access: user, limit: 'write', stepUp: true },
  setPhone: { access: user, limit: 'write', stepUp: true },
  confirmPhone: { access: user, limit: 'write', stepUp: true },
  removePhone: { access: user, limit: 'write', stepUp: true },
  regenerateBackupCodes: { access: user, limit: 'write', stepUp: true },

  // Social login. A browser follows `departOAuth` and comes back to the callbacks, which their `state` and cookie protect.
  listProviders: { access: anyone, limit: 'read' },
  startOAuth: { access: anyone, limit: 'oauth' },
  departOAuth: { access: anyone, limit: 'oauth' },
  receiveOAuthCallback: { access: anyone, limit: 'oauth' },
  receiveOAuthForm: { access: anyone, limit: 'oauth', form: true },
  completeOAuth: { access: anyone, limit: 'oauth' },
  registerByProvider: { access: anyone, limit: ['oauth', 'register'] },
  startProviderStepUp: { access: user, limit: 'write', sensitive: true },
  stepUpByProvider: { access: user, limit: 'write', sensitive: true },
  listMyIdentities: { access: user, limit: 'read' },
  startLink: { access: user, limit: 'write', stepUp: true },
  completeLink: { access: user, limit: 'write', stepUp: true },
  unlinkIdentity: { access: user, ids: 'own', limit: 'write', stepUp: true },
  deleteFacebookData: { access: { kind: 'webhook', source: 'facebook' }, limit: 'webhook', form: true },
  getFacebookDeletion: { access: anyone, limit: 'read' },
  // Passkeys
  listPasskeys: { access: user, limit: 'read' },
  startPasskeyRegistration: { access: user, limit: 'write', stepUp: true },
  registerPasskey: { access: user, limit: 'write', stepUp: true },
  renamePasskey: { access: user, ids: 'own', limit: 'write' },
  removePasskey: { access: user, ids: 'own', limit: 'write', stepUp: true },
  startPasskeyLogin: { access: anyone, limit: 'auth' },
  loginWithPasskey: { access: anyone, limit: 'auth' },
  reactivateWithPasskey: { access: anyone, limit: 'auth' },
  startPasskeyFactor: { access: anyone, limit: 'auth' },
  finishLoginWithPasskey: { access: anyone, limit: 'auth' },
  startPasskeyStepUp: { access: user, limit: 'write' },
  stepUpWithPasskey: { access: user, limit: 'write' },

  // API keys. A key never manages keys.
  listApiKeys: { access: user, limit: 'keys', sensitive: true },
  createApiKey: { access: user, limit: 'keys', stepUp: true },
  renameApiKey: { access: user, ids: 'own', limit: 'keys', sensitive: true },
  revokeApiKey: { access: user, ids: 'own', limit: 'keys', sensitive: true },

  // Webhooks to creators. Where events go, and what signs them, is no matter of API keys.
  listWebhookEndpoints: { access: user, scope: 'webhooks:read', limit: 'read' },
  createWebhookEndpoint: { access: user, limit: 'write', stepUp: true },
  getWebhookEndpoint: { access: user, scope: 'webhooks:read', ids: 'own', limit: 'read' },
  updateWebhookEndpoint: { access: user, ids: 'own', limit: 'write', stepUp: true },
  deleteWebhookEndpoint: { access: user, ids: 'own', limit: 'write', sensitive: true },
  rotateWebhookSecret: { access: user, ids: 'own', limit: 'write', stepUp: true },
  testWebhookEndpoint: { access: user, scope: 'webhooks:write', ids: 'own', limit: 'webhook_test' },
  listWebhookDeliveries: { access: user, scope: 'webhooks:read', ids: 'own', limit: 'read' },
  getWebhookDelivery: { access: user, scope: 'webhooks:read', ids: 'own', limit: 'read' },
  replayWebhookDelivery: {
    access: user,
    scope: 'webhooks:write',
    ids: 'own',
    limit: 'write',
    idempotent: true,
  },
  replayFailedWebhooks: {
    access: user,
    scope: 'webhooks:write',
    ids: 'own',
    limit: 'write',
    cost: 20,
    idempotent: true,
  },

  // Users
  getUser: { access: viewer, scope: 'profile:read', ids: 'any', limit: 'read' },
  getMe: { access: user, scope: 'profile:read', limit: 'read' },
  updateMe: { access: user, scope: 'profile:write', limit: 'write', idempotent: true },
  stateBirthDate: { access: user, limit: 'write', sensitive: true },

  // The life of an account
  changeUsername: { access: user, limit: 'write', stepUp: true },
  deactivateAccount: { access: user, limit: 'write', stepUp: true },
  requestExport: { access: user, limit: 'write', stepUp: true, idempotent: true },
  listExports: { access: user, limit: 'read', sensitive: true },
  getExport: { access: user, ids: 'own', limit: 'read', sensitive: true },
  deleteAccount: { access: user, limit: 'write', stepUp: true },

  // Social graph
  followUser: { access: user, scope: 'graph:write', ids: 'any', limit: 'follow' },
  unfollowUser: { access: user, scope: 'graph:write', ids: 'any', limit: 'unfollow' },
  blockUser: { access: user, scope: 'graph:write', ids: 'any', limit: 'write' },
  unblockUser: { access: user, scope: 'graph:write', ids: 'any', limit: 'write' },
  listFollowers: { access: viewer, scope: 'graph:read', ids: 'any', limit: 'read' },
  listFollowing: { access: viewer, scope: 'graph:read', ids: 'any', limit: 'read' },
  listBlocks: { access: user, scope: 'graph:read', limit: 'read' },

  // Members of channels
  listMembers: { access: user, scope: 'graph:read', limit: 'read' },
  grantMembership: { access: user, scope: 'graph:write', ids: 'any', limit: 'write' },
  endMembership: { access: user, scope: 'graph:write', ids: 'any', limit: 'write' },

  // Posts and feeds
  createPost: { access: user, scope: 'posts:write', limit: 'write', idempotent: true },
  getPost: { access: viewer, scope: 'posts:read', ids: 'any', limit: 'read' },
  deletePost: { access: user, scope: 'posts:write', ids: 'own', limit: 'write' },
  likePost: { access: user, scope: 'posts:write', ids: 'any', limit: 'like' },
  unlikePost: { access: user, scope: 'posts:write', ids: 'any', limit: 'like' },
  listUserPosts: { access: viewer, scope: 'posts:read', ids: 'any', limit: 'read' },
  readHomeFeed: { access: user, scope: 'feeds:read', limit: 'read', cost: 2 },

  // Comments. `own` ids: comments of the caller's, or on videos of the caller's.
  createComment: { access: user, scope: 'comments:write', ids: 'any', limit: 'comment', idempotent: true },
  listComments: { access: viewer, scope: 'comments:read', ids: 'any', limit: 'read' },
  getComment: { access: viewer, scope: 'comments:read', ids: 'any', limit: 'read' },
  listReplies: { access: viewer, scope: 'comments:read', ids: 'any', limit: 'read' },
  updateComment: { access: user, scope: 'comments:write', ids: 'own', limit: 'write' },
  deleteComment: { access: user, scope: 'comments:write', ids: 'own', limit: 'write' },
  likeComment: { access: user, scope: 'comments:write', ids: 'any', limit: 'like' },
  unlikeComment: { access: user, scope: 'comments:write', ids: 'any', limit: 'like' },
  pinComment: { access: user, scope: 'comments:write', ids: 'own', limit: 'write' },
  unpinComment: { access: user, scope: 'comments:write', ids: 'own', limit: 'write' },
  heartComment: { access: user, scope: 'comments:write', ids: 'own', limit: 'write' },
  unheartComment: { access: user, scope: 'comments:write', ids: 'own', limit: 'write' },
  approveComment: { access: user, scope: 'comments:write', ids: 'own', limit: 'write' },
  rejectComment: { access: user, scope: 'comments:write', ids: 'own', limit: 'write' },
  listHeldComments: { access: user, scope: 'comments:read', limit: 'read' },
  getCommentSettings: { access: user, scope: 'comments:read', limit: 'read' },
  setCommentSettings: { access: user, scope: 'comments:write', limit: 'write' },

  // Playlists
  createPlaylist: { access: user, scope: 'playlists:write', limit: 'write', idempotent: true },
  getPlaylist: { access: viewer, scope: 'playlists:read', ids: 'any', limit: 'read' },
  updatePlaylist: { access: user, scope: 'playlists:write', ids: 'own', limit: 'write' },
  deletePlaylist: { access: user, scope: 'playlists:write', ids: 'own', limit: 'write' },
  listMyPlaylists: { access: user, scope: 'playlists:read', limit: 'read' },
  listUserPlaylists: { access: viewer, scope: 'playlists:read', ids: 'any', limit: 'read' },
  listPlaylistItems: { access: viewer, scope: 'playlists:read', ids: 'any', limit: 'read' },
  addPlaylistItem: { access: user, scope: 'playlists:write', ids: 'own', limit: 'write', idempotent: true },
  movePlaylistItem: { access: user, scope: 'playlists:write', ids: 'own', limit: 'write' },
  removePlaylistItem: { access: user, scope: 'playlists:write', ids: 'own', limit: 'write' },
  listWatchLater: { access: user, scope: 'playlists:read', limit: 'read' },
  keepForLater: { access: user, scope: 'playlists:write', ids: 'any', limit: 'write' },
  dropFromLater: { access: user, scope: 'playlists:write', ids: 'any', limit: 'write' },

  // Watch history. `watched_video_id` names an entry of the caller's own history.
  readHistory: { access: user, scope: 'history:read', limit: 'read', cost: 2 },
  clearHistory: { access: user, scope: 'history:write', limit: 'write' },
  getHistorySettings: { access: user, scope: 'history:read', limit: 'read' },
  setHistorySettings: { access: user, scope: 'history:write', limit: 'write' },
  readProgress: { access: user, scope: 'history:read', ids: 'own', limit: 'read' },
  forgetProgress: { access: user, scope: 'history:write', ids: 'own', limit: 'write' },
  savePosition: { access: user, scope: 'history:write', ids: 'any', limit: 'write' },

  // Videos
  startUpload: { access: user, scope: 'videos:write', limit: 'upload', cost: 10, idempotent: true },
  importVideo: { access: user, scope: 'videos:write', limit: 'upload', cost: 20, idempotent: true },
  getUpload: { access: user, scope: 'videos:write', ids: 'own', limit: 'read' },
  signParts: { access: user, scope: 'videos:write', ids: 'own', limit: 'upload' },
  acknowledgeParts: { access: user, scope: 'videos:write', ids: 'own', limit: 'upload' },
  completeUpload: {
    access: user,
    scope: 'videos:write',
    ids: 'own',
    limit: 'upload',
    cost: 20,
    idempotent: true,
  },
  startReplacement: {
    access: user,
    scope: 'videos:write',
    ids: 'own',
    limit: 'upload',
    cost: 10,
    idempotent: true,
  },
  retryReplacement: {
    access: user,
    scope: 'videos:write',
    ids: 'own',
    limit: 'upload',
    cost: 20,
    idempotent: true,
  },
  giveUpReplacement: { access: user, scope: 'videos:write', ids: 'own', limit: 'write' },
  startThumbnail: { access: user, scope: 'videos:write', ids: 'own', limit: 'upload' },
  setThumbnail: { access: user, scope: 'videos:write', ids: 'own', limit: 'upload', cost: 10 },
  removeThumbnail: { access: user, scope: 'videos:write', ids: 'own', limit: 'write' },
  abortUpload: { access: user, scope: 'videos:write', ids: 'own', limit: 'write' },
  getVideo: { access: viewer, scope: 'videos:read', ids: 'any', limit: 'read' },
  requestPlayback: {
    access: viewer,
    scope: 'videos:read',
    ids: 'any',
    limit: 'read',
    cost: 2,
    unpinned: true,
  },
  unlockVideo: { access: viewer, scope: 'videos:read', ids: 'any', limit: 'unlock', unpinned: true },
  updateVideo: { access: user, scope: 'videos:write', ids: 'own', limit: 'write' },
  deleteVideo: { access: user, scope: 'videos:write', ids: 'own', limit: 'write' },
  retryVideo: {
    access: user,
    scope: 'videos:write',
    ids: 'own',
    limit: 'upload',
    cost: 20,
    idempotent: true,
  },
  listCaptions: { access: viewer, scope: 'videos:read', ids: 'any', limit: 'read' },
  getCaptions: { access: viewer, scope: 'videos:read', ids: 'any', limit: 'read' },
  putCaptions: {
    access: user,
    scope: 'videos:write',
    ids: 'own',
    limit: 'upload',
    cost: 10,
    idempotent: true,
  },
  deleteCaptions: { access: user, scope: 'videos:write', ids: 'own', limit: 'write' },
  createClip: {
    access: user,
    scope: 'videos:write',
    ids: 'own',
    limit: 'upload',
    cost: 20,
    idempotent: true,
  },
  getEncoding: { access: user, scope: 'videos:read', ids: 'own', limit: 'read' },
  changeEncoding: { access: user, scope: 'videos:write', ids: 'own', limit: 'upload', cost: 10 },
  startSideFile: { access: user, scope: 'videos:write', limit: 'upload', cost: 5 },
  getWatermark: { access: user, scope: 'videos:read', limit: 'read' },
  putWatermark: { access: user, scope: 'videos:write', limit: 'upload', cost: 10 },
  deleteWatermark: { access: user, scope: 'videos:write', limit: 'write' },
  getUploadLimits: { access: user, scope: 'videos:write', limit: 'read' },
  listVideoCategories: { access: anyone, limit: 'read' },
  listVideoLicences: { access: anyone, limit: 'read' },
  getVideoChapters: { access: viewer, scope: 'videos:read', ids: 'any', limit: 'read' },
  rateVideo: { access: user, scope: 'videos:write', ids: 'any', limit: 'like' },
  unrateVideo: { access: user, scope: 'videos:write', ids: 'any', limit: 'like' },
  listLikedVideos: { access: user, scope: 'videos:read', limit: 'read' },
  listMyVideos: { access: user, scope: 'videos:read', limit: 'read' },
  listUserVideos: { access: viewer, scope: 'videos:read', ids: 'any', limit: 'read' },

  // Sharing: pages and feeds for readers nobody knows
  showEmbedPage: { access: anyone, ids: 'any', limit: 'read' },
  getOEmbed: { access: anyone, limit: 'read' },
  readPlayerFile: { access: anyone, limit: 'docs' },
  readChannelFeed: { access: anyone, ids: 'any', limit: 'read' },

  // Watching. Each session counts its own heartbeats.
  startWatchSession: { access: viewer, ids: 'any', limit: 'watch', cost: 2, unpinned: true },
  sendHeartbeat: { access: viewer, ids: 'any', limit: 'edge', unpinned: true },
  watchViewCount: { access: viewer, ids: 'any', ticket: 'realtime', limit: 'realtime' },

  // Analytics, of the caller's own videos
  getVideoAnalytics: { access: user, scope: 'analytics:read', ids: 'own', limit: 'read', cost: 5 },
  exportVideoAnalytics: { access: user, scope: 'analytics:read', ids: 'own', limit: 'read', cost: 5 },
  getVideoRetention: { access: user, scope: 'analytics:read', ids: 'own', limit: 'read', cost: 5 },
  getVideoRealtime: { access: user, scope: 'analytics:read', ids: 'own', limit: 'read', cost: 2 },
  getStreamAnalytics: { access: user, scope: 'analytics:read', ids: 'own', limit: 'read', cost: 5 },
  exportStreamAnalytics: { access: user, scope: 'analytics:read', ids: 'own', limit: 'read', cost: 5 },
  listStreamAnalytics: { access: user, scope: 'analytics:read', limit: 'read', cost: 10 },
  getChannelAnalytics: { access: user, scope: 'analytics:read', limit: 'read', cost: 10 },
  exportChannelAnalytics: { access: user, scope: 'analytics:read', limit: 'read', cost: 10 },
  getChannelRealtime: { access: user, scope: 'analytics:read', limit: 'read', cost: 5 },

  // Administration. Moderators reach accounts that are not staff; what only administrators may do is theirs alone.
  searchUsers: { access: user, roles: ['admin', 'moderator'], limit: 'admin', stepUp: true },
  viewUserAccount: { access: user, roles: ['admin', 'moderator'], ids: 'any', limit: 'admin', stepUp: true },
  suspendUser: { access: user, roles: ['admin', 'moderator'], ids: 'any', limit: 'admin', stepUp: true },
  unsuspendUser: { access: user, roles: ['admin', 'moderator'], ids: 'any', limit: 'admin', stepUp: true },
  logUserOut: { access: user, roles: ['admin', 'moderator'], ids: 'any', limit: 'admin', stepUp: true },
  clearBirthDate: { access: user, roles: ['admin', 'moderator'], ids: 'any', limit: 'admin', stepUp: true },
  grantRole: { access: user, roles: ['admin'], ids: 'any', limit: 'admin', stepUp: true },
  revokeRole: { access: user, roles: ['admin'], ids: 'any', limit: 'admin', stepUp: true },
  viewVideoEncoding: { access: user, roles: ['admin'], ids: 'any', limit: 'admin', stepUp: true },
  listAdminProposals: { access: user, roles: ['admin'], limit: 'admin', stepUp: true },
  proposeAdmin: { access: user, roles: ['admin'], limit: 'admin', stepUp: true },
  approveAdmin: { access: user, roles: ['admin'], ids: 'any', limit: 'admin', stepUp: true },
  withdrawAdminProposal: { access: user, roles: ['admin'], ids: 'any', limit: 'admin', stepUp: true },

  // Streams
  createStream: { access: user, limit: 'write', idempotent: true },
  getStream: { access: viewer, ids: 'any', limit: 'read' },
  updateStream: { access: user, ids: 'own', limit: 'write' },
  cancelStream: { access: user, ids: 'own', limit: 'write' },
  listLiveStreams: { access: viewer, limit: 'read' },
  stopStream: { access: user, ids: 'own', limit: 'write', cost: 20 },
  stopStreamAsStaff: {
    access: user,
    roles: ['admin', 'moderator'],
    ids: 'any',
    limit: 'admin',
    stepUp: true,
  },
  viewStreamHealth: { access: user, ids: 'own', limit: 'read', cost: 20 },
  clipStream: { access: user, ids: 'any', limit: 'write', cost: 20, idempotent: true },
  markStream: { access: user, ids: 'own', limit: 'write', idempotent: true },
  listStreamMarkers: { access: user, ids: 'own', limit: 'read' },
  listStreamSessions: { access: user, ids: 'own', limit: 'read' },
  listUserStreams: { access: viewer, ids: 'any', limit: 'read' },

  // Live channels. Whoever has the stream key can broadcast as its owner.
  createLiveChannel: { access: user, limit: 'write', cost: 20 },
  getLiveChannel: { access: user, limit: 'read' },
  updateLiveChannel: { access: user, limit: 'write', cost: 20 },
  createStreamKey: { access: user, limit: 'write', cost: 20, stepUp: true },
  revokeStreamKey: { access: user, limit: 'write', cost: 20, sensitive: true },
  getLivePlayback: { access: viewer, ids: 'any', limit: 'read', cost: 2 },
  getDvrPlayback: { access: viewer, ids: 'any', limit: 'read', cost: 5 },
  sendTimedMetadata: { access: user, scope: 'live:write', ids: 'own', limit: 'metadata', unpinned: true },
  revokeViewer: { access: user, ids: 'own', limit: 'write' },
  readmitViewer: { access: user, ids: 'own', limit: 'write' },

  // Chat. The room itself counts what each person, and all of them, say.
  getChatAsyncApi: { access: anyone, limit: 'docs' },
  connectChat: { access: viewer, ids: 'any', ticket: 'chat', limit: 'realtime' },
  readChatEvents: { access: viewer, ids: 'any', limit: 'realtime' },
  sendChatMessage: { access: user, ids: 'any', limit: 'edge', unpinned: true },
  readChat: { access: viewer, ids: 'any', limit: 'read' },
  getVideoChat: { access: viewer, scope: 'videos:read', ids: 'any', limit: 'read' },
  exportStreamChat: { access: user, ids: 'own', limit: 'read', cost: 50 },
  voteInChat: { access: user, ids: 'any', limit: 'write' },
  moderateChat: { access: user, ids: 'any', limit: 'write' },
  grantChatRole: { access: user, ids: 'any', limit: 'write' },
  takeChatRole: { access: user, ids: 'any', limit: 'write' },
  acknowledgeChatWarning: { access: user, ids: 'any', limit: 'write' },
  listHeldChatMessages: { access: user, ids: 'any', limit: 'read' },
  getChatStanding: { access: user, ids: 'any', limit: 'read' },
  askToBeUnbanned: { access: user, ids: 'any', limit: 'write' },
  listUnbanRequests: { access: user, ids: 'any', limit: 'read' },
  decideUnbanRequest: { access: user, ids: 'any', limit: 'write' },
  listChatActions: { access: user, ids: 'any', limit: 'read' },
  getChatShield: { access: user, ids: 'any', limit: 'read' },
  setChatShieldPreset: { access: user, ids: 'any', limit: 'write' },
  getChatAutoModeration: { access: user, ids: 'any', limit: 'read' },
  setChatAutoModeration: { access: user, ids: 'any', limit: 'write' },
  listChatTerms: { access: user, ids: 'any', limit: 'read' },
  addChatTerm: { access: user, ids: 'any', limit: 'write' },
  removeChatTerm: { access: user, ids: 'any', limit: 'write' },
  verifyChatBot: { access: user, roles: ['admin'], ids: 'any', limit: 'admin', stepUp: true },
  endChatBot: { access: user, roles: ['admin'], ids: 'any', limit: 'admin', stepUp: true },
  getChatProfile: { access: user, limit: 'read' },
  setChatProfile: { access: user, limit: 'write' },

  // Emotes. A picture is decoded and encoded anew, which costs.
  createEmote: { access: user, limit: 'write', cost: 20, idempotent: true },
  listEmotes: { access: user, limit: 'read' },
  deleteEmote: { access: user, ids: 'own', limit: 'write' },
  listRoomEmotes: { access: viewer, ids: 'any', limit: 'read' },
  listEmotesToReview: { access: user, roles: ['admin', 'moderator'], limit: 'admin', stepUp: true },
  approveEmote: { access: user, roles: ['admin', 'moderator'], ids: 'any', limit: 'admin', stepUp: true },
  rejectEmote: { access: user, roles: ['admin', 'moderator'], ids: 'any', limit: 'admin', stepUp: true },

  // Realtime. A connection lasts as long as its token, so it must not begin after its session has ended.
  createTicket: { access: user, limit: 'realtime', sensitive: true },
  connectRealtime: { access: user, ticket: 'realtime', limit: 'realtime', sensitive: true },
} as const satisfies Readonly<Record<string, RoutePolicy>>;

export type OperationId = keyof typeof routePolicies;

/** The policy of an operation; undefined when nobody wrote one. */
export const policyOfOperation = (operationId: string): RoutePolicy | undefined =>
  Object.hasOwn(routePolicies, operationId) ? routePolicies[operationId as OperationId] : undefined;
