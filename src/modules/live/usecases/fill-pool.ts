import type { RequestContext } from '../../../context.ts';
import {
  createChannel,
  findChannels,
  getChannel,
  isAwsError,
  type LiveChannel,
  updateChannel,
} from '../../../integrations/aws/index.ts';
import { sleep } from '../../../shared/retry.ts';
import {
  countReady,
  findOtherwiseRecorded,
  findStaleOrders,
  type MadeChannel,
  orderChannel,
  stockChannels,
  storeRecording,
} from '../pool.repository.ts';

// IVS takes five calls a second of an operation from the whole account: one is left to people who cannot wait.
const pauseMs = 250;
// With three calls for each, far from the subrequests one run may make.
const madeAtOnce = 20;
const updatedAtOnce = 10;
const adoptedAtOnce = 10;
// Far longer than a call is waited for.
const staleSeconds = 300;

/**
 * Keeps `LIVE_CHANNEL_POOL_SIZE` channels ready: takes in those whose making was cut off, has all channels recorded as
 * `LIVE_RECORDING_CONFIGURATION_ARN` says, and makes what is missing.
 */
export async function fillPool(ctx: RequestContext): Promise<void> {
  await adoptOrphans(ctx);
  await alignRecording(ctx);
  const missing = ctx.config.live.channelPoolSize - (await countReady(ctx.databases.primary));
  for (let made = 0; made < Math.min(missing, madeAtOnce); made += 1) {
    if (made > 0) await sleep(pauseMs);
    await makeChannel(ctx);
  }
}

/**
 * Makes a channel for the pool. Its name is written down first, so that a channel whose making was cut off at any point is
 * found by it.
 * @throws AwsError
 */
export async function makeChannel(ctx: RequestContext): Promise<void> {
  const { aws, live, app } = ctx.config;
  const { primary } = ctx.databases;
  const name = `social-flow-${app.environment}-${ctx.ids.next()}`;
  await orderChannel(primary, name);
  try {
    const { channel } = await createChannel(aws, {
      name,
      latencyMode: 'LOW',
      type: live.channelTypes[0] ?? 'STANDARD',
      authorized: true,
      insecureIngest: false,
      containerFormat: 'FRAGMENTED_MP4',
      recordingConfigurationArn: live.recordingConfigurationArn,
      tags: { platform: 'social-flow', environment: app.environment },
    });
    await stockChannels(primary, name, channel === undefined ? [] : [madeChannelOf(channel)]);
  } catch (error) {
    // Refused, as over a quota: there is certainly nothing to look for.
    if (isAwsError(error) && error.status >= 400 && error.status < 500)
      await stockChannels(primary, name, []);
    throw error;
  }
}

async function adoptOrphans(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  for (const name of await findStaleOrders(primary, staleSeconds, adoptedAtOnce)) {
    const made: MadeChannel[] = [];
    for (const arn of await findChannels(ctx.config.aws, name)) {
      const channel = await getChannel(ctx.config.aws, arn);
      if (channel !== undefined) made.push(madeChannelOf(channel));
    }
    await stockChannels(primary, name, made);
    if (made.length > 0) ctx.log.log('info', 'live.channels_adopted', { count: made.length });
    await sleep(pauseMs);
  }
}

async function alignRecording(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const { recordingConfigurationArn } = ctx.config.live;
  const wanted = recordingConfigurationArn === '' ? null : recordingConfigurationArn;
  for (const arn of await findOtherwiseRecorded(primary, wanted, updatedAtOnce)) {
    try {
      await updateChannel(ctx.config.aws, { arn, recordingConfigurationArn });
      await storeRecording(primary, arn, wanted);
    } catch (error) {
      // It is live: one of the next runs finds it offline.
      if (!isAwsError(error, 'ConflictException')) throw error;
    }
    await sleep(pauseMs);
  }
}

/** @throws RangeError for an answer without what every channel has. */
export function madeChannelOf(channel: LiveChannel): MadeChannel {
  const { arn, ingestEndpoint, playbackUrl, latencyMode, type } = channel;
  if (!arn || !ingestEndpoint || !playbackUrl || !latencyMode || !type)
    throw new RangeError('IVS described a channel without its addresses');
  return {
    arn,
    ingestEndpoint,
    srtEndpoint: channel.srt?.endpoint ?? null,
    playbackUrl,
    latencyMode,
    type,
    insecureIngest: channel.insecureIngest ?? false,
    recordingConfigurationArn: channel.recordingConfigurationArn || null,
  };
}
