import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { conflict, invalid, quotaExceeded } from '../errors.ts';
import type { PlaybackKeyPair, PlaybackRestrictionPolicy } from '../resources.ts';
import type { ApiContext, Operations } from './context.ts';
import { pageOf } from './paging.ts';
import type { Inputs } from './schemas.ts';

const MAX_KEY_PAIRS = 3;
const MAX_POLICIES = 20;

const presentKeyPair = ({ arn, name, fingerprint, tags }: PlaybackKeyPair) => ({
  arn,
  name,
  fingerprint,
  tags,
});
const presentPolicy = ({ createdAtMs: _, ...policy }: PlaybackRestrictionPolicy) => policy;

/** Who may watch: keys that playback tokens are checked with, policies, and the end of viewer sessions. */
export function playbackAccessOperations(
  context: ApiContext,
): Operations<
  | 'ImportPlaybackKeyPair'
  | 'GetPlaybackKeyPair'
  | 'ListPlaybackKeyPairs'
  | 'DeletePlaybackKeyPair'
  | 'CreatePlaybackRestrictionPolicy'
  | 'GetPlaybackRestrictionPolicy'
  | 'ListPlaybackRestrictionPolicies'
  | 'UpdatePlaybackRestrictionPolicy'
  | 'DeletePlaybackRestrictionPolicy'
  | 'StartViewerSessionRevocation'
  | 'BatchStartViewerSessionRevocation'
> {
  const { store } = context;

  function revoke(input: Inputs['StartViewerSessionRevocation']): void {
    store.get('channel', input.channelArn);
    store.save('revocation', {
      arn: store.newArn('revocation'),
      createdAtMs: context.now(),
      channelArn: input.channelArn,
      viewerId: input.viewerId,
      version: input.viewerSessionVersionsLessThanOrEqualTo ?? 0,
      tags: {},
    });
  }

  return {
    ImportPlaybackKeyPair({ publicKeyMaterial, name = '', tags = {} }) {
      const key = ellipticKey(publicKeyMaterial);
      const fingerprint = fingerprintOf(key);
      const pairs = store.all('playback-key');
      if (pairs.some((pair) => pair.fingerprint === fingerprint))
        throw conflict('The key pair was imported already');
      if (pairs.length >= MAX_KEY_PAIRS) throw quotaExceeded('Too many playback key pairs');
      const pair: PlaybackKeyPair = {
        arn: store.newArn('playback-key'),
        createdAtMs: context.now(),
        name,
        fingerprint,
        publicKey: key.export({ type: 'spki', format: 'pem' }).toString(),
        tags,
      };
      store.save('playback-key', pair);
      return { keyPair: presentKeyPair(pair) };
    },
    GetPlaybackKeyPair: ({ arn }) => ({ keyPair: presentKeyPair(store.get('playback-key', arn)) }),
    ListPlaybackKeyPairs(input) {
      const { page, nextToken } = pageOf(store.all('playback-key'), input);
      return {
        keyPairs: page.map(({ arn, name, tags }) => ({ arn, name, tags })),
        ...(nextToken && { nextToken }),
      };
    },
    DeletePlaybackKeyPair({ arn }) {
      store.get('playback-key', arn);
      store.remove('playback-key', arn);
      return {};
    },
    CreatePlaybackRestrictionPolicy(input) {
      if (store.all('playback-restriction-policy').length >= MAX_POLICIES)
        throw quotaExceeded('Too many playback restriction policies');
      const policy: PlaybackRestrictionPolicy = {
        arn: store.newArn('playback-restriction-policy'),
        createdAtMs: context.now(),
        name: input.name ?? '',
        allowedCountries: input.allowedCountries ?? [],
        allowedOrigins: input.allowedOrigins ?? [],
        enableStrictOriginEnforcement: input.enableStrictOriginEnforcement ?? false,
        tags: input.tags ?? {},
      };
      store.save('playback-restriction-policy', policy);
      return { playbackRestrictionPolicy: presentPolicy(policy) };
    },
    GetPlaybackRestrictionPolicy: ({ arn }) => ({
      playbackRestrictionPolicy: presentPolicy(store.get('playback-restriction-policy', arn)),
    }),
    ListPlaybackRestrictionPolicies(input) {
      const { page, nextToken } = pageOf(store.all('playback-restriction-policy'), input);
      return { playbackRestrictionPolicies: page.map(presentPolicy), ...(nextToken && { nextToken }) };
    },
    UpdatePlaybackRestrictionPolicy({ arn, ...input }) {
      const old = store.get('playback-restriction-policy', arn);
      const policy: PlaybackRestrictionPolicy = {
        ...old,
        name: input.name ?? old.name,
        allowedCountries: input.allowedCountries ?? old.allowedCountries,
        allowedOrigins: input.allowedOrigins ?? old.allowedOrigins,
        enableStrictOriginEnforcement:
          input.enableStrictOriginEnforcement ?? old.enableStrictOriginEnforcement,
      };
      store.save('playback-restriction-policy', policy);
      return { playbackRestrictionPolicy: presentPolicy(policy) };
    },
    DeletePlaybackRestrictionPolicy({ arn }) {
      store.get('playback-restriction-policy', arn);
      if (store.all('channel').some((channel) => channel.playbackRestrictionPolicyArn === arn))
        throw conflict('The playback restriction policy is used by a channel');
      store.remove('playback-restriction-policy', arn);
    },
    StartViewerSessionRevocation(input) {
      revoke(input);
      return {};
    },
    BatchStartViewerSessionRevocation({ viewerSessions }) {
      const errors: { channelArn: string; viewerId: string; code: string; message: string }[] = [];
      for (const session of viewerSessions) {
        if (store.find('channel', session.channelArn)) revoke(session);
        else
          errors.push({
            channelArn: session.channelArn,
            viewerId: session.viewerId,
            code: 'ResourceNotFoundException',
            message: `Resource: ${session.channelArn} not found`,
          });
      }
      return { errors };
    },
  };
}

/** @throws IvsError ValidationException for anything but a P-384 public key in PEM */
function ellipticKey(pem: string): KeyObject {
  const refused = invalid(
    'publicKeyMaterial: must be the public key of an ECDSA key on the curve P-384, in PEM',
  );
  // Node would take the public half out of a private key too.
  if (pem.includes('PRIVATE')) throw refused;
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'secp384r1') return key;
  } catch {
    // Told below.
  }
  throw refused;
}

function fingerprintOf(key: KeyObject): string {
  const der = key.export({ type: 'spki', format: 'der' });
  return createHash('md5')
    .update(der)
    .digest('hex')
    .replace(/..(?=.)/g, '$&:');
}
