import { mergeSketches } from '../../../durable-objects/sketch.ts';
import type { RequestContext } from '../../context.ts';
import type { Db } from '../../db/client.ts';
import {
  findSketches,
  findStaleDays,
  finishSketches,
  keepSketches,
  refreshChannelViews,
  type StaleDay,
  type VideoSketch,
} from './channels.repository.ts';

/** Sketches read or days written in one trip: 1.1 MB of base64. */
const perTrip = 400;
const maxPacks = 200;

/** Adds up what large channels are read from. Whatever a run misses, the next one finds. */
export async function refreshChannels(ctx: RequestContext): Promise<void> {
  const { primary } = ctx.databases;
  if (!(await refreshChannelViews(primary))) {
    ctx.log.log('info', 'analytics.refresh_skipped');
    return;
  }
  let merged = 0;
  for (let packs = 0; packs < maxPacks; packs += 1) {
    const days = packOf(await findStaleDays(primary, perTrip));
    if (days.length === 0) {
      await finishSketches(primary);
      break;
    }
    await keepSketches(primary, await mergeDays(primary, days));
    merged += days.length;
  }
  ctx.log.log('info', 'analytics.refreshed', { days_merged: merged });
}

/** As many of the first days as one trip reads, and at least one. */
function packOf(days: readonly StaleDay[]): readonly StaleDay[] {
  let videos = 0;
  const end = days.findIndex((day) => {
    videos += day.videos;
    return videos > perTrip;
  });
  return end === -1 ? days : days.slice(0, Math.max(1, end));
}

const keyOf = ({ ownerId, day }: Pick<StaleDay, 'ownerId' | 'day'>): string => `${ownerId} ${day}`;

/** The sketch of each day, page by page: a day may have more videos than one trip reads. */
async function mergeDays(db: Db, days: readonly StaleDay[]) {
  const sketches = new Map<string, Uint8Array>();
  let after: VideoSketch | undefined;
  do {
    const page = await findSketches(db, days, after, perTrip);
    for (const [key, rows] of Map.groupBy(page, keyOf)) {
      const known = sketches.get(key);
      sketches.set(
        key,
        mergeSketches([...(known === undefined ? [] : [known]), ...rows.map(({ sketch }) => sketch)]),
      );
    }
    after = page.length < perTrip ? undefined : page.at(-1);
  } while (after !== undefined);
  return days.map((day) => ({ ...day, sketch: sketches.get(keyOf(day)) }));
}
