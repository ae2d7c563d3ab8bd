import { roomName } from '../../../../durable-objects/chat-room/protocol.ts';
import type { RequestContext } from '../../../context.ts';
import {
  getStream,
  getStreamSession,
  type LiveStreamSummary,
  listStreams,
  type StreamSession,
} from '../../../integrations/aws/index.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { callDurableObject } from '../../../shared/durable-object-call.ts';
import {
  endAway,
  findUnbegunSessions,
  listOpenSessions,
  type OpenSession,
  storeSamples,
  type ViewerSample,
} from '../life.repository.ts';
import { closeRooms, followSession } from './follow-broadcast.ts';

const endedAtOnce = 100;
// Each asks IVS once or twice, which answers five a second.
const askedAtOnce = 25;
const maxPages = 50;
// Each is a call of a Durable Object.
const roomsAtOnce = 20;

/**
 * Finds out what lost events would have told, and how many watch: compares what is on air at IVS with what is live here, ends
 * streams whose encoder did not come back, and closes their rooms. What fails is left for the next run.
 */
export async function reconcileBroadcasts(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  const open = await listOpenSessions(primary);
  const onAir = await listOnAir(ctx);
  const known = new Map(open.map((session) => [session.sessionId, session]));
  const samples: ViewerSample[] = [];
  for (const stream of onAir) {
    const session = known.get(stream.streamId ?? '');
    const streamId = session?.streamId ?? (await attempt(ctx, () => takeUp(ctx, stream)));
    if (streamId !== undefined) samples.push(sampleOf(streamId, stream));
  }
  if (samples.length > 0) await storeSamples(primary, ctx.clock.now(), samples);
  for (let from = 0; from < samples.length; from += roomsAtOnce)
    await Promise.all(samples.slice(from, from + roomsAtOnce).map((sample) => tellRoom(ctx, sample)));
  const seen = new Set(onAir.map(({ streamId }) => streamId));
  const silent = open.filter(({ sessionId }) => !seen.has(sessionId));
  for (const session of silent.slice(0, askedAtOnce)) await attempt(ctx, () => askAbout(ctx, session));
  for (const session of await findUnbegunSessions(primary, askedAtOnce))
    await attempt(ctx, () => learnStart(ctx, session));
  const events = await endAway(ctx, endedAtOnce);
  if (events.length > 0) await publishEvents(ctx, { ids: events, limit: events.length });
  await closeRooms(ctx);
}

async function listOnAir(ctx: RequestContext): Promise<LiveStreamSummary[]> {
  const all: LiveStreamSummary[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await listStreams(ctx.config.aws, { nextToken });
    all.push(...answer.items);
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return all;
}

/** Something is on air of whose start nobody has told. */
async function takeUp(ctx: RequestContext, stream: LiveStreamSummary): Promise<string | undefined> {
  const { channelArn, streamId: sessionId, startTime: startedAt } = stream;
  if (channelArn === undefined || sessionId === undefined || startedAt === undefined) return undefined;
  return (await followSession(ctx, { channelArn, sessionId, startedAt }))?.streamId;
}

/** A session we take for open is not on air. The list lags behind, so that what is not over is left alone. */
async function askAbout(ctx: RequestContext, { channelArn, sessionId }: OpenSession): Promise<void> {
  const { aws } = ctx.config;
  const now = await getStream(aws, channelArn);
  if (now?.streamId === sessionId) return;
  const session = await getStreamSession(aws, { channelArn, streamId: sessionId });
  // A session IVS has forgotten, or never ended, is over when its channel is off air.
  const endedAt = session?.endTime ?? new Date(ctx.clock.now()).toISOString();
  await followSession(ctx, { channelArn, sessionId, endedAt, failureCode: failureOf(session) });
}

async function learnStart(
  ctx: RequestContext,
  { channelArn, sessionId }: Pick<OpenSession, 'channelArn' | 'sessionId'>,
): Promise<void> {
  const session = await getStreamSession(ctx.config.aws, { channelArn, streamId: sessionId });
  const began = session?.truncatedEvents?.find(({ name }) => name === 'Stream Start')?.eventTime;
  if (began !== undefined) await followSession(ctx, { channelArn, sessionId, startedAt: began });
}

const failureOf = (session: StreamSession | undefined): string | undefined =>
  session?.truncatedEvents?.some(({ name }) => name === 'Stream Failure') ? 'stream_failure' : undefined;

/** The room merges the count with that of its own connections. */
const tellRoom = (ctx: RequestContext, { streamId, viewers }: ViewerSample) =>
  attempt(ctx, () =>
    callDurableObject(ctx.bindings.CHAT_ROOM, roomName(streamId), (room) =>
      room.noteAudience(viewers, ctx.clock.now()),
    ),
  );

const sampleOf = (streamId: string, { viewerCount = 0, health }: LiveStreamSummary): ViewerSample => ({
  streamId,
  // IVS says -1 while it does not know yet.
  viewers: Math.max(0, viewerCount),
  health: health === 'HEALTHY' ? 'healthy' : health === 'STARVING' ? 'starving' : null,
});

async function attempt<T>(ctx: RequestContext, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    ctx.log.log('warn', 'broadcasts.reconcile_failed', {
      error_name: error instanceof Error ? error.name : 'unknown',
      reason: error instanceof Error ? error.message : undefined,
    });
    return undefined;
  }
}
