import type { RequestContext } from '../../context.ts';
import type { Handlers } from '../../jobs/handlers.ts';
import type { MessageData } from '../../jobs/messages.ts';
import { countCommentLike, countShowing } from './counting.repository.ts';

/** Keeps the comment counts of videos, and the reply and like counts of comments. */
export const commentHandlers: Handlers = {
  'comment.shown': (ctx, { data }) => moveShowings(ctx, 'made', data),
  'comment.hidden': (ctx, { data }) => moveShowings(ctx, 'undone', data),
  'comment.liked': (ctx, { data }) => moveLikes(ctx, 'made', data),
  'comment.unliked': (ctx, { data }) => moveLikes(ctx, 'undone', data),
};

const moveShowings = (ctx: RequestContext, kind: 'made' | 'undone', data: MessageData<'comment.shown'>) =>
  countShowing(
    ctx.databases.primary,
    kind,
    { showingId: data.showing_id, videoId: data.video_id, rootId: data.root_id },
    ctx.clock.now(),
  );

const moveLikes = (ctx: RequestContext, kind: 'made' | 'undone', data: MessageData<'comment.liked'>) =>
  countCommentLike(
    ctx.databases.primary,
    kind,
    { id: data.like_id, commentId: data.comment_id },
    ctx.clock.now(),
  );
