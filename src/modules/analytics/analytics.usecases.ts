import type { RequestContext } from '../../context.ts';
import { invalidParameters } from '../../http/errors.ts';
import { requireViewerId } from '../../http/viewer.ts';
import { videoNotFound } from '../videos/index.ts';
import { type DayRange, daysIn, maxRangeDays, previousOf, rangeOf } from './analytics.policy.ts';
import {
  findMinutes,
  findRetention,
  findWatched,
  type Minute,
  type Watched,
} from './analytics.repository.ts';

export interface RangeQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/**
 * How a video of the caller, or all of theirs, was watched over a range of UTC days.
 * @throws videos.not_found for videos of others.
 */
export async function viewAnalytics(
  ctx: RequestContext,
  videoId: string | undefined,
  query: RangeQuery,
): Promise<{ readonly range: DayRange; readonly watched: Watched }> {
  const range = rangeFor(ctx, query);
  const watched = await findWatched(ctx.readDb, subjectOf(ctx, videoId), range, previousOf(range));
  if (watched === undefined) throw videoNotFound();
  return { range, watched };
}

/** Which parts of a video of the caller are watched. @throws videos.not_found */
export async function viewRetention(ctx: RequestContext, videoId: string, query: RangeQuery) {
  const range = rangeFor(ctx, query);
  const found = await findRetention(ctx.readDb, { ownerId: requireViewerId(ctx), videoId }, range);
  if (found === undefined) throw videoNotFound();
  return { range, found };
}

/** The last hour by minute. @throws videos.not_found */
export async function viewRealtime(
  ctx: RequestContext,
  videoId: string | undefined,
): Promise<readonly Minute[]> {
  const minutes = await findMinutes(ctx.readDb, subjectOf(ctx, videoId), ctx.clock.now() - 3_600_000);
  if (minutes === undefined) throw videoNotFound();
  return minutes;
}

const subjectOf = (ctx: RequestContext, videoId: string | undefined) => ({
  ownerId: requireViewerId(ctx),
  ...(videoId === undefined ? {} : { videoId }),
});

/** A range with only one end named is only known to be too long here. */
function rangeFor(ctx: RequestContext, query: RangeQuery): DayRange {
  const range = rangeOf(query, ctx.clock.now());
  const days = daysIn(range);
  if (days < 1 || days > maxRangeDays)
    throw invalidParameters({
      errors: [
        {
          pointer: '/from',
          code: 'invalid_range',
          message: `must be 1 to ${maxRangeDays} days up to \`to\``,
        },
      ],
    });
  return range;
}
