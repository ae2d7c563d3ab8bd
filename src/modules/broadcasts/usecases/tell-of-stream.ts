import type { RequestContext } from '../../../context.ts';
import { newEvent } from '../../../db/outbox.ts';
import type { MessageOf } from '../../../jobs/messages.ts';
import { publishEvents } from '../../../jobs/publish.ts';
import { pushToUser } from '../../realtime/index.ts';
import { findStream, presentStream } from '../../streams/index.ts';
import { listFollowersToTell, queueTelling } from '../followers.repository.ts';

// Each is a call of a Durable Object, of which a message may make a thousand.
const followersPerPage = 200;

/** How a stream stands now, as its owner may see it; undefined when it is gone. */
export async function findStreamNews(ctx: RequestContext, streamId: string, ownerId: string) {
  const stream = await findStream(ctx.databases.primary, streamId, ownerId);
  if (stream === undefined) return undefined;
  const { id, owner, title, state, started_at, ended_at, video_id } = presentStream(
    stream,
    ctx.config.aws.cdnBaseUrl,
  );
  return { stream_id: id, owner_id: owner.id, title, state, started_at, ended_at, video_id };
}

/** Tells the owner's open connections, and has the followers told where a stream begins. */
export async function tellOfStream(
  ctx: RequestContext,
  message: MessageOf<'stream.started'> | MessageOf<'stream.ended'>,
): Promise<void> {
  const { stream_id: streamId, owner_id: ownerId } = message.data;
  const data = await findStreamNews(ctx, streamId, ownerId);
  if (data === undefined) return;
  await pushToUser(ctx, ownerId, { id: message.id, type: message.type, data });
  if (message.type === 'stream.started') await queuePage(ctx, message.id, message.data, null);
}

/** Tells one page of followers that a stream is live, and queues the next. The hub delivers an event id once. */
export async function tellFollowers(
  ctx: RequestContext,
  message: MessageOf<'stream.tell_followers'>,
): Promise<void> {
  const { stream_id: streamId, owner_id: ownerId, after_follower_id: after } = message.data;
  const { primary } = ctx.databases;
  const followers = await listFollowersToTell(primary, streamId, after, followersPerPage);
  if (followers.length === 0) return;
  const data = await findStreamNews(ctx, streamId, ownerId);
  if (data === undefined) return;
  await Promise.all(followers.map((id) => pushToUser(ctx, id, { id: streamId, type: 'stream.live', data })));
  if (followers.length === followersPerPage)
    await queuePage(ctx, message.id, message.data, followers.at(-1) ?? null);
}

async function queuePage(
  ctx: RequestContext,
  messageId: string,
  { stream_id, owner_id }: MessageOf<'stream.started'>['data'],
  afterFollowerId: string | null,
): Promise<void> {
  const page = newEvent(ctx, 'stream.tell_followers', {
    stream_id,
    owner_id,
    after_follower_id: afterFollowerId,
  });
  if (await queueTelling(ctx.databases.primary, messageId, page))
    await publishEvents(ctx, { ids: [page.id], limit: 1 });
}
