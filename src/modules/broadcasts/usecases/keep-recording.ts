import { z } from 'zod';
import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import { getObject, getStreamSession, isAwsError } from '../../../integrations/aws/index.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { fromUtf8 } from '../../../shared/encoding.ts';
import { isRecordedBy, type RecordingNews, readRecordingEvent } from '../policy/ivs-events.ts';
import { chaptersOfMarkers } from '../policy/timeline.ts';
import {
  claimOpenRecordings,
  endRecording,
  findRecordedStream,
  noteRecordingBegan,
  type RecordedStream,
} from '../recordings.repository.ts';
import { followSession } from './follow-broadcast.ts';

const askedAtOnce = 20;
const silentSeconds = 180;
const maxMetadataBytes = 65_536;

/**
 * Takes what IVS tells of a recording; when it is over it becomes a video, once.
 * @throws AwsError when IVS did not answer: the message is tried again.
 */
export async function takeRecordingEvent(
  ctx: RequestContext,
  message: MessageOf<'ivs.recording_changed'>,
): Promise<void> {
  const { resource: channelArn, time, detail } = message.data;
  const news = readRecordingEvent(detail);
  if (news === undefined || channelArn === undefined) return;
  // What a video is made of goes with it, so that it must be a recording of this channel and nothing above.
  if (news.bucket !== ctx.config.aws.recordingsBucket || !isRecordedBy(channelArn, news.prefix)) {
    ctx.log.log('warn', 'broadcasts.recorded_elsewhere', { bucket: news.bucket, prefix: news.prefix });
    return;
  }
  await keepRecording(ctx, channelArn, time, news);
}

async function keepRecording(
  ctx: RequestContext,
  channelArn: string,
  at: string,
  news: Pick<RecordingNews, 'kind' | 'prefix' | 'sessionIds' | 'durationMs'>,
): Promise<void> {
  const { primary } = ctx.databases;
  const stream =
    (await findRecordedStream(primary, channelArn, news.sessionIds)) ??
    (await learnSessions(ctx, channelArn, news.sessionIds));
  if (stream === undefined) return;
  const { streamId, title, sessions, markers } = stream;
  if (news.kind === 'began') return await noteRecordingBegan(primary, { prefix: news.prefix, streamId, at });
  const videoId = ctx.ids.next();
  const released = newEvent(ctx, 'video.released', { video_id: videoId, revision: 1 });
  const isVideo = await endRecording(primary, {
    prefix: news.prefix,
    streamId,
    at,
    durationMs: news.durationMs ?? 0,
    failed: news.kind === 'failed',
    videoId,
    chapters: chaptersOfMarkers(markers, sessions, title),
    released,
  });
  if (isVideo) await publishEvents(ctx, { ids: [released.id], limit: 1 });
}

/** The events of the broadcast itself are late or lost. */
async function learnSessions(
  ctx: RequestContext,
  channelArn: string,
  sessionIds: readonly string[],
): Promise<RecordedStream | undefined> {
  for (const sessionId of sessionIds) {
    const session = await getStreamSession(ctx.config.aws, { channelArn, streamId: sessionId });
    if (session?.startTime !== undefined)
      await followSession(ctx, {
        channelArn,
        sessionId,
        startedAt: session.startTime,
        endedAt: session.endTime,
      });
  }
  return await findRecordedStream(ctx.databases.primary, channelArn, sessionIds);
}

const endedMetadata = z.object({
  recording_ended_at: z.iso.datetime({ offset: true }),
  media: z.object({ hls: z.object({ duration_ms: z.int().min(0) }) }),
});

/** Looks into the bucket whether recordings are over of whose end nobody told. */
export async function reconcileRecordings(ctx: RequestContext): Promise<void> {
  const { aws } = ctx.config;
  const open = await claimOpenRecordings(ctx.databases.primary, {
    nowMs: ctx.clock.now(),
    silentSeconds,
    limit: askedAtOnce,
  });
  for (const { prefix, channelArn, sessionIds } of open)
    try {
      const key = `${prefix}/events/recording-ended.json`;
      const file = await getObject(aws, { bucket: aws.recordingsBucket, key }, maxMetadataBytes);
      const { recording_ended_at: at, media } = endedMetadata.parse(JSON.parse(fromUtf8(file)));
      await keepRecording(ctx, channelArn, at, {
        kind: 'ended',
        prefix,
        sessionIds,
        durationMs: media.hls.duration_ms,
      });
    } catch (error) {
      if (isAwsError(error, 'NoSuchKey')) continue;
      ctx.log.log('warn', 'broadcasts.recording_left', {
        error_name: error instanceof Error ? error.name : 'unknown',
      });
    }
}
