import { randomBytes } from 'node:crypto';
import type { Broadcast } from '../live/broadcast.ts';
import type { Channel } from '../resources.ts';
import type { Store } from '../store.ts';
import { type OriginRule, originsOf } from './origins.ts';
import { type PlaybackClaims, readToken } from './token.ts';

/** One viewer of one broadcast, from the multivariant playlist on. */
export type Viewer = {
  readonly id: string;
  readonly broadcast: Broadcast;
  readonly claims: PlaybackClaims | undefined;
  lastSeenMs: number;
};

export type Refusal = { readonly status: number; readonly code: string; readonly message: string };

export type Viewers = {
  /** Claims of a token that is good for a channel, none for a public one, or why it is not. */
  authorise(channel: Channel, token: string | undefined): PlaybackClaims | undefined | Refusal;
  /** Lets a viewer in, or says why not. Uses a token up that is for one use. */
  admit(broadcast: Broadcast, claims: PlaybackClaims | undefined): Viewer | Refusal;
  /** A viewer that was let in and was not thrown out since. */
  find(id: string): Viewer | Refusal;
  /** Origins that the token and the policy of the channel name. */
  originRules(channel: Channel, claims: PlaybackClaims | undefined): OriginRule[];
  countOf(broadcast: Broadcast): number;
};

/** A viewer who asked for nothing for so long is gone. */
const PRESENT_MS = 20_000;
const FORGOTTEN_MS = 120_000;
export const MAX_VIEWERS = 15_000;

const refused = (code: string, message: string, status = 403): Refusal => ({ status, code, message });

export function createViewers(store: Store, now: () => number): Viewers {
  const viewers = new Map<string, Viewer>();
  const usedTokens = new Map<string, number>();

  function isRevoked(channelArn: string, claims: PlaybackClaims | undefined): boolean {
    const viewerId = claims?.['aws:viewer-id'];
    if (viewerId === undefined) return false;
    const version = claims?.['aws:viewer-session-version'] ?? 0;
    return store
      .all('revocation')
      .some((one) => one.channelArn === channelArn && one.viewerId === viewerId && version <= one.version);
  }

  function forget(): void {
    const nowMs = now();
    for (const [id, { lastSeenMs }] of viewers) if (nowMs - lastSeenMs > FORGOTTEN_MS) viewers.delete(id);
    for (const [uuid, untilMs] of usedTokens) if (untilMs < nowMs) usedTokens.delete(uuid);
  }

  return {
    authorise(channel, token) {
      if (!channel.authorized) return undefined;
      if (token === undefined) return refused('missing_token', 'The channel needs a token');
      const claims = readToken(token, channel.arn, store.all('playback-key'), now());
      if (claims === undefined) return refused('invalid_token', 'The token is not valid');
      if (isRevoked(channel.arn, claims)) return refused('revoked_token', 'The viewer session was revoked');
      return claims;
    },
    admit(broadcast, claims) {
      forget();
      const once = claims?.['aws:single-use-uuid'];
      if (once !== undefined && usedTokens.has(once))
        return refused('used_token', 'The token was used already');
      if (viewers.size >= MAX_VIEWERS) return refused('too_many_viewers', 'Too many viewers', 503);
      if (claims && once !== undefined) usedTokens.set(once, claims.exp * 1000);
      const id = randomBytes(18).toString('base64url');
      const viewer: Viewer = { id, broadcast, claims, lastSeenMs: now() };
      viewers.set(id, viewer);
      return viewer;
    },
    find(id) {
      const viewer = viewers.get(id);
      if (viewer === undefined) return refused('invalid_session', 'The viewer session does not exist');
      if (isRevoked(viewer.broadcast.session.channelArn, viewer.claims)) {
        viewers.delete(id);
        return refused('revoked_token', 'The viewer session was revoked');
      }
      viewer.lastSeenMs = now();
      return viewer;
    },
    originRules(channel, claims) {
      const rules: OriginRule[] = [];
      const origins = claims?.['aws:access-control-allow-origin'];
      if (origins !== undefined)
        rules.push({
          origins: originsOf(origins),
          isStrict: claims?.['aws:strict-origin-enforcement'] ?? false,
        });
      const policy =
        channel.playbackRestrictionPolicyArn === ''
          ? undefined
          : store.find('playback-restriction-policy', channel.playbackRestrictionPolicyArn);
      if (policy)
        rules.push({
          origins: originsOf(policy.allowedOrigins.join(',')),
          isStrict: policy.enableStrictOriginEnforcement,
        });
      return rules;
    },
    countOf(broadcast) {
      const sinceMs = now() - PRESENT_MS;
      return [...viewers.values()].filter(
        (viewer) => viewer.broadcast === broadcast && viewer.lastSeenMs >= sinceMs,
      ).length;
    },
  };
}
