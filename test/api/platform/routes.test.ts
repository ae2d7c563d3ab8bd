import { describe, expect, it } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { type DeclaredRoute, policySymbol } from '../../../src/http/route.ts';
import { routePolicies } from '../../../src/http/route-policies.ts';
import { encodeId, type IdKind, randomIds } from '../../../src/shared/ids.ts';
import { call } from '../../support/worker/client.ts';

// Who may call what without an access token. Anything else must answer 401; a new public route is a decision made here.
const open = [
  'GET /.well-known/jwks.json',
  'GET /docs',
  'GET /docs/{file}',
  'GET /embed/{video_id}',
  'GET /livez',
  'GET /oembed',
  'GET /openapi.json',
  'GET /player/{script}',
  'GET /readyz',
  'GET /v1/auth/oauth/providers',
  'GET /v1/auth/oauth/{provider}/authorize',
  'GET /v1/auth/oauth/{provider}/callback',
  'GET /v1/chat/asyncapi.json',
  'GET /v1/comments/{comment_id}',
  'GET /v1/comments/{comment_id}/replies',
  'GET /v1/playlists/{playlist_id}',
  'GET /v1/playlists/{playlist_id}/items',
  'GET /v1/posts/{post_id}',
  'GET /v1/streams',
  'GET /v1/streams/{stream_id}',
  'GET /v1/streams/{stream_id}/dvr',
  'GET /v1/streams/{stream_id}/playback',
  'GET /v1/streams/{stream_id}/chat',
  'GET /v1/streams/{stream_id}/chat/emotes',
  'GET /v1/streams/{stream_id}/chat/events',
  'GET /v1/streams/{stream_id}/chat/messages',
  'GET /v1/users/{user_id}/feed.rss',
  'GET /v1/users/{user_id}/followers',
  'GET /v1/users/{user_id}/following',
  'GET /v1/users/{user_id}/playlists',
  'GET /v1/users/{user_id}/posts',
  'GET /v1/users/{user_id}/streams',
  'GET /v1/users/{user_id}/videos',
  'GET /v1/users/{user}',
  'GET /v1/videos/categories',
  'GET /v1/videos/licences',
  'GET /v1/videos/{video_id}',
  'GET /v1/videos/{video_id}/captions',
  'GET /v1/videos/{video_id}/captions/{language}',
  'GET /v1/videos/{video_id}/chapters.vtt',
  'GET /v1/videos/{video_id}/chat',
  'GET /v1/videos/{video_id}/comments',
  'GET /v1/videos/{video_id}/views/live',
  'GET /v1/webhooks/facebook/data-deletion/{code}',
  'POST /v1/auth/login',
  'POST /v1/auth/mfa',
  'POST /v1/auth/mfa/sms',
  'POST /v1/auth/oauth/complete',
  'POST /v1/auth/oauth/register',
  'POST /v1/auth/oauth/{provider}/callback',
  'POST /v1/auth/oauth/{provider}/start',
  'POST /v1/auth/passkeys/login',
  'POST /v1/auth/passkeys/login/options',
  'POST /v1/auth/passkeys/reactivate',
  'POST /v1/auth/passkeys/mfa',
  'POST /v1/auth/passkeys/mfa/options',
  'POST /v1/auth/password-reset',
  'POST /v1/auth/password-reset/confirm',
  'POST /v1/auth/reactivate',
  'POST /v1/auth/refresh',
  'POST /v1/auth/register',
  'POST /v1/videos/{video_id}/playback',
  'POST /v1/videos/{video_id}/unlock',
  'POST /v1/videos/{video_id}/watch',
  'POST /v1/videos/{video_id}/watch-sessions',
];
// What a stolen access token must not suffice for. A change here is a decision, too.
const needStepUp = [
  'DELETE /v1/admin/chat-bots/{user_id}',
  'DELETE /v1/admin/proposals/{proposal_id}',
  'DELETE /v1/admin/users/{user_id}/roles/{role}',
  'DELETE /v1/me/factors/phone',
  'DELETE /v1/me/factors/totp',
  'DELETE /v1/me/identities/{identity_id}',
  'DELETE /v1/me/passkeys/{passkey_id}',
  'GET /v1/admin/emotes',
  'GET /v1/admin/proposals',
  'GET /v1/admin/users/{user_id}',
  'GET /v1/admin/videos/{video_id}/encoding',
  'PATCH /v1/me/webhook-endpoints/{endpoint_id}',
  'POST /v1/admin/emotes/{emote_id}/approve',
  'POST /v1/admin/emotes/{emote_id}/reject',
  'POST /v1/admin/proposals',
  'POST /v1/admin/proposals/{proposal_id}/approve',
  'POST /v1/admin/streams/{stream_id}/stop',
  'POST /v1/admin/users/search',
  'POST /v1/admin/users/{user_id}/birth-date/clear',
  'POST /v1/admin/users/{user_id}/logout',
  'POST /v1/admin/users/{user_id}/suspend',
  'POST /v1/admin/users/{user_id}/unsuspend',
  'POST /v1/me/api-keys',
  'POST /v1/me/deactivation',
  'POST /v1/me/deletion',
  'POST /v1/me/email',
  'POST /v1/me/exports',
  'POST /v1/me/factors/backup-codes',
  'POST /v1/me/factors/phone/confirm',
  'POST /v1/me/factors/totp',
  'POST /v1/me/factors/totp/confirm',
  'POST /v1/me/identities',
  'POST /v1/me/identities/{provider}/start',
  'POST /v1/me/live/channel/stream-key',
  'POST /v1/me/passkeys',
  'POST /v1/me/passkeys/options',
  'POST /v1/me/password',
  'POST /v1/me/webhook-endpoints',
  'POST /v1/me/webhook-endpoints/{endpoint_id}/rotate-secret',
  'PUT /v1/admin/chat-bots/{user_id}',
  'PUT /v1/admin/users/{user_id}/roles/{role}',
  'PUT /v1/me/factors/phone',
  'PUT /v1/me/username',
];
const provenOtherwise = ['POST /v1/webhooks/aws', 'POST /v1/webhooks/facebook/data-deletion'];

const app = createApp();

const declared = app.routes.flatMap((route) => {
  const marked = (route.handler as { [policySymbol]?: DeclaredRoute })[policySymbol];
  return marked === undefined
    ? []
    : [{ name: nameOf(route), method: route.method, path: route.path, rules: marked.policy, ...marked }];
});

function nameOf(route: { method: string; path: string }): string {
  return `${route.method} ${route.path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}').replace(/(.)\/$/, '$1')}`;
}

const idKinds: Record<string, IdKind> = {
  user: 'user',
  user_id: 'user',
  session_id: 'session',
  identity_id: 'identity',
  passkey_id: 'passkey',
  post_id: 'post',
  video_id: 'video',
  upload_id: 'upload',
  export_id: 'dataExport',
  key_id: 'apiKey',
  proposal_id: 'adminProposal',
  endpoint_id: 'webhookEndpoint',
  delivery_id: 'webhookDelivery',
};
const realistic = (path: string): string =>
  path.replaceAll(/:(\w+)(\{[^}]*\})?/g, (_, name: string) =>
    idKinds[name] === undefined ? 'index.html' : encodeId(idKinds[name], randomIds.next()),
  );

describe('every route', () => {
  it('has a policy in the table, and every policy a route', () => {
    expect([...new Set(declared.map((route) => route.operationId))].sort()).toEqual(
      Object.keys(routePolicies).sort(),
    );
  });

  it('has rules: no handler can be reached around them', () => {
    const ruled = new Set(declared.map((route) => route.name));
    const bare = app.routes
      .filter((route) => route.method !== 'ALL' && !ruled.has(nameOf(route)))
      .map(nameOf);
    expect([...new Set(bare)]).toEqual([]);
    expect(ruled.size).toBeGreaterThan(30);
  });

  it('is written down here if it is open to strangers, and only then', () => {
    const openByRules = declared.filter(
      ({ rules }) => rules.access.kind === 'public' || rules.access.kind === 'optional',
    );
    expect(openByRules.map((route) => route.name).sort()).toEqual([...open].sort());
    const webhooks = declared.filter(({ rules }) => rules.access.kind === 'webhook');
    expect(webhooks.map((route) => route.name)).toEqual(provenOtherwise);
  });

  it('is written down here if it needs a recent login, and only then', () => {
    const stepUps = declared.filter(({ rules }) => rules.stepUp === true);
    expect(stepUps.map((route) => route.name).sort()).toEqual([...needStepUp].sort());
  });

  it.each(declared.map((route) => [route.name, route] as const))(
    '%s refuses strangers unless it is written as open',
    async (name, route) => {
      const response = await call(
        route.method,
        realistic(route.path),
        route.method === 'GET' ? {} : { body: {} },
      );
      if (open.includes(name)) expect(response.status).not.toBe(401);
      else if (name === 'GET /v1/realtime') expect([401, 426]).toContain(response.status);
      else expect(response.status, await response.clone().text()).toBe(401);
      expect(response.status).toBeLessThan(500);
    },
  );

  it.each(
    declared
      .filter(({ rules }) => rules.access.kind !== 'public')
      .map((route) => [route.name, route] as const),
  )('%s refuses a token that is not ours', async (name, route) => {
    const response = await call(route.method, realistic(route.path), {
      token: 'not.a.token',
      ...(route.method === 'GET' ? {} : { body: {} }),
    });
    if (name === 'GET /v1/realtime') expect([401, 426]).toContain(response.status);
    else expect(response.status).toBe(401);
  });
});

describe('the OpenAPI document', () => {
  const operations = app.openAPIRegistry.definitions.flatMap((definition) =>
    definition.type === 'route' ? [definition.route] : [],
  );

  it('gives every operation an id of its own, a summary and one tag', () => {
    for (const operation of operations) {
      expect(operation.operationId, operation.path).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary, operation.path).toBeTruthy();
      expect(operation.tags, operation.path).toHaveLength(1);
    }
    expect(new Set(operations.map((operation) => operation.operationId)).size).toBe(operations.length);
  });
});
