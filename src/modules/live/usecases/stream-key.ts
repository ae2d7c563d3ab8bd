import type { RequestContext } from '../../../context.ts';
import { requireSession } from '../../../http/viewer.ts';
import {
  createStreamKey,
  deleteStreamKey,
  getChannel,
  listStreamKeys,
  stopStream,
} from '../../../integrations/aws/index.ts';
import { sha256 } from '../../../shared/crypto.ts';
import { hex } from '../../../shared/encoding.ts';
import { findChannel, revokeKey, storeKey } from '../channels.repository.ts';
import { channelIsBusy, noLiveChannel } from '../live.errors.ts';
import { srtUrl } from '../policy/ingest.ts';
import { endBroadcast } from './end-broadcasts.ts';
import { alone, reachIvs } from './reach-ivs.ts';

const fingerprintDigits = 16;

export interface NewStreamKey {
  readonly value: string;
  readonly fingerprint: string;
  /** RFC 3339. */
  readonly madeAt: string;
  readonly srt: { readonly url: string; readonly passphrase: string | null } | null;
}

/**
 * Replaces the stream key of the caller's channel by a new one, of which only a fingerprint is kept. A broadcast that is on air
 * goes on. Cut off anywhere, it leaves a channel whose key nobody knows, which the next call replaces.
 * @throws live.no_channel, live.channel_is_busy, live.unavailable.
 */
export async function makeMyStreamKey(ctx: RequestContext): Promise<NewStreamKey> {
  const { userId: ownerId } = requireSession(ctx);
  const { aws } = ctx.config;
  const { primary } = ctx.databases;
  const known = await findChannel(primary, ownerId);
  if (known === undefined) throw noLiveChannel();
  const { arn } = known;
  return await alone(ctx, arn, async () => {
    const channel = await findChannel(primary, ownerId);
    if (channel?.arn !== arn) throw noLiveChannel();
    const made = await reachIvs(async () => {
      await deleteKeys(ctx, arn);
      // Of a revocation that did not get so far yet.
      if (channel.isStopDue) await stopStream(aws, arn);
      return await createStreamKey(aws, arn);
    });
    const value = made.value ?? '';
    const fingerprint = hex(await sha256(value)).slice(0, fingerprintDigits);
    const madeAt = new Date(ctx.clock.now()).toISOString();
    const target = { arn, ownerId, isStopDone: channel.isStopDue };
    if (!(await storeKey(ctx, target, { arn: made.arn ?? '', fingerprint, madeAt }))) {
      await reachIvs(() => deleteKeys(ctx, arn));
      throw channelIsBusy();
    }
    const { srtEndpoint } = channel;
    const srt =
      srtEndpoint === null ? null : { url: srtUrl(srtEndpoint), passphrase: await passphraseOf(ctx, arn) };
    return { value, fingerprint, madeAt, srt };
  });
}

/**
 * Revokes the stream key of the caller's channel and ends what is on air. If IVS cannot be reached, that happens within a minute
 * after it can be.
 * @throws live.no_channel.
 */
export async function revokeMyStreamKey(ctx: RequestContext): Promise<void> {
  const arn = await revokeKey(ctx, requireSession(ctx).userId);
  if (arn === undefined) throw noLiveChannel();
  await endBroadcast(ctx, arn);
}

async function deleteKeys(ctx: RequestContext, arn: string): Promise<void> {
  for (const keyArn of await listStreamKeys(ctx.config.aws, arn))
    await deleteStreamKey(ctx.config.aws, keyArn);
}

// A secret as the key is, and kept as little.
const passphraseOf = (ctx: RequestContext, arn: string): Promise<string | null> =>
  reachIvs(async () => (await getChannel(ctx.config.aws, arn))?.srt?.passphrase ?? null);
