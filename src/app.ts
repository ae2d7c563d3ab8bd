import { OpenAPIHono } from '@hono/zod-openapi';
import { guardCookieMode } from './http/browser-session.ts';
import { corsByConfig } from './http/cors.ts';
import { mountDocs } from './http/docs.ts';
import type { AppEnv } from './http/env.ts';
import { guardRequest, pinReadsAfterWrite, refusePlainHttp } from './http/guards.ts';
import { handleError, handleNotFound } from './http/handle-error.ts';
import { rejectWrongMethod } from './http/methods.ts';
import { requestContext } from './http/request-context.ts';
import { securityHeaders } from './http/security-headers.ts';
import { accountsRoutes, exportsRoutes } from './modules/accounts/index.ts';
import { adminRoutes } from './modules/admin/index.ts';
import { channelAnalyticsRoutes, videoAnalyticsRoutes } from './modules/analytics/index.ts';
import { apiKeysRoutes } from './modules/api-keys/index.ts';
import {
  accountRecoveryRoutes,
  authRoutes,
  emailRoutes,
  passwordRoutes,
  reactivationRoutes,
  reauthenticationRoutes,
  sessionsRoutes,
  wellKnownRoutes,
} from './modules/auth/index.ts';
import { broadcastsRoutes } from './modules/broadcasts/index.ts';
import {
  chatChannelRoutes,
  chatModerationRoutes,
  chatProfilesRoutes,
  chatReplayRoutes,
  chatRoutes,
} from './modules/chat/index.ts';
import { commentModerationRoutes, commentsRoutes } from './modules/comments/index.ts';
import { pagesRoutes } from './modules/delivery/index.ts';
import { emotesRoutes } from './modules/emotes/index.ts';
import { factorsRoutes, phonesRoutes } from './modules/factors/index.ts';
import { feedsRoutes } from './modules/feeds/index.ts';
import { graphRoutes } from './modules/graph/index.ts';
import { historyRoutes } from './modules/history/index.ts';
import { facebookRoutes, identitiesRoutes, oauthRoutes } from './modules/identities/index.ts';
import { liveChannelRoutes, livePlaybackRoutes } from './modules/live/index.ts';
import { membersRoutes } from './modules/members/index.ts';
import { passkeySignInRoutes, passkeysRoutes } from './modules/passkeys/index.ts';
import { playlistItemsRoutes, playlistsRoutes } from './modules/playlists/index.ts';
import { postsRoutes } from './modules/posts/index.ts';
import { realtimeRoutes } from './modules/realtime/index.ts';
import { securityEventsRoutes } from './modules/security-events/index.ts';
import { streamAnalyticsRoutes } from './modules/stream-analytics/index.ts';
import { streamsRoutes } from './modules/streams/index.ts';
import { meRoutes, usersRoutes } from './modules/users/index.ts';
import {
  encodingRoutes,
  importsRoutes,
  playbackRoutes,
  replacementsRoutes,
  thumbnailsRoutes,
  uploadLimitsRoutes,
  uploadsRoutes,
  videoDetailsRoutes,
  videoListsRoutes,
  videosRoutes,
} from './modules/videos/index.ts';
import { viewsRoutes } from './modules/views/index.ts';
import {
  describeWebhooks,
  webhookDeliveriesRoutes,
  webhookEndpointsRoutes,
} from './modules/webhook-endpoints/index.ts';
import { webhooksRoutes } from './modules/webhooks/index.ts';
import { healthRoutes } from './observability/health.ts';

/** The HTTP application: middleware in order, one mount for each module, error handling. */
export function createApp(): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  app.onError(handleError);
  app.use(
    requestContext(),
    securityHeaders(),
    refusePlainHttp(),
    corsByConfig(),
    guardRequest(),
    guardCookieMode(),
    pinReadsAfterWrite(),
  );

  app.route('/', healthRoutes);
  app.route('/', wellKnownRoutes);
  app.route('/', pagesRoutes);
  app.route('/v1/auth', authRoutes);
  app.route('/v1/auth', reauthenticationRoutes);
  app.route('/v1/auth/oauth', oauthRoutes);
  app.route('/v1/auth', accountRecoveryRoutes);
  app.route('/v1/auth', reactivationRoutes);
  app.route('/v1/me', meRoutes);
  app.route('/v1/me', accountsRoutes);
  app.route('/v1/me/exports', exportsRoutes);
  app.route('/v1/me/sessions', sessionsRoutes);
  app.route('/v1/me/password', passwordRoutes);
  app.route('/v1/me/email', emailRoutes);
  app.route('/v1/me/factors', factorsRoutes);
  app.route('/v1/me/factors/phone', phonesRoutes);
  app.route('/v1/me/identities', identitiesRoutes);
  app.route('/v1/me/passkeys', passkeysRoutes);
  app.route('/v1/auth/passkeys', passkeySignInRoutes);
  app.route('/v1/me/api-keys', apiKeysRoutes);
  app.route('/v1/me/webhook-endpoints', webhookEndpointsRoutes);
  app.route('/v1/me/webhook-endpoints', webhookDeliveriesRoutes);
  app.route('/v1/me/security-events', securityEventsRoutes);
  app.route('/v1/me/members', membersRoutes);
  app.route('/v1/me/live/channel', liveChannelRoutes);
  app.route('/v1/users', usersRoutes);
  app.route('/v1', graphRoutes);
  app.route('/v1', postsRoutes);
  app.route('/v1', commentsRoutes);
  app.route('/v1', commentModerationRoutes);
  app.route('/v1', playlistsRoutes);
  app.route('/v1', playlistItemsRoutes);
  app.route('/v1', historyRoutes);
  app.route('/v1/feeds', feedsRoutes);
  app.route('/v1/videos/uploads', uploadsRoutes);
  app.route('/v1/videos/imports', importsRoutes);
  app.route('/v1', videoDetailsRoutes);
  app.route('/v1/videos', playbackRoutes);
  app.route('/v1/videos', videosRoutes);
  app.route('/v1/videos', videoAnalyticsRoutes);
  app.route('/v1/me/analytics', channelAnalyticsRoutes);
  app.route('/v1', streamAnalyticsRoutes);
  app.route('/v1/videos', replacementsRoutes);
  app.route('/v1/videos', thumbnailsRoutes);
  app.route('/v1/videos', viewsRoutes);
  app.route('/v1', videoListsRoutes);
  app.route('/v1', encodingRoutes);
  app.route('/v1', uploadLimitsRoutes);
  app.route('/v1', streamsRoutes);
  app.route('/v1', broadcastsRoutes);
  app.route('/v1/streams', livePlaybackRoutes);
  app.route('/v1', chatRoutes);
  app.route('/v1', chatModerationRoutes);
  app.route('/v1', chatChannelRoutes);
  app.route('/v1', chatProfilesRoutes);
  app.route('/v1', chatReplayRoutes);
  app.route('/v1', emotesRoutes);
  app.route('/v1/webhooks', webhooksRoutes);
  app.route('/v1/webhooks/facebook', facebookRoutes);
  app.route('/v1/realtime', realtimeRoutes);
  app.route('/v1/admin', adminRoutes);
  mountDocs(app);
  describeWebhooks(app);

  app.notFound(rejectWrongMethod(app, handleNotFound));
  return app;
}
