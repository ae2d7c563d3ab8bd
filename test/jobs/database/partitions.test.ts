import { expect, it } from 'vitest';
import type { Flush } from '../../../durable-objects/view-counter/protocol.ts';
import { maintainDatabase } from '../../../src/db/maintenance.ts';
import { applyFlush } from '../../../src/modules/views/flushes.repository.ts';
import { seedVideo } from '../../api/views/watching.ts';
import { seedUser, sqlRows } from '../../support/worker/client.ts';
import { contextAt } from '../accounts/lives.ts';

it('no flush is lost that comes for months without partitions, nor while they are made', async () => {
  const video = await seedVideo(await seedUser());
  const ctx = contextAt(Date.now());
  const now = new Date();
  // Further ahead than partitions are ever made, until the last call.
  const monthsAhead = [7, 8, 9, 10];
  const days = monthsAhead.map((months) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 15)).toISOString().slice(0, 10),
  );
  const flushed = (seq: number): Flush => ({
    videoId: video.uuid,
    counterId: '00000000-0000-4000-8000-000000000001',
    seq,
    views: days.length,
    shards: 1,
    days: days.map((day) => ({
      day,
      views: 1,
      viewers: 1,
      sketch: null,
      plays: 1,
      watchMs: 1_000,
      completions: 0,
      retention: new Array<number>(100).fill(1),
      startups: 0,
      startupMs: 0,
      rebufferMs: 0,
      errors: 0,
    })),
    parts: days.map((day) => ({
      day,
      dimension: 'country',
      value: 'PT',
      views: 1,
      plays: 1,
      watchMs: 1_000,
      errors: 0,
    })),
    minutes: days.map((day) => ({ minute: `${day}T12:00:00.000Z`, views: 1, watchMs: 1_000 })),
  });
  const flush = (seq: number) => applyFlush(ctx.databases.primary, flushed(seq));
  // As the counter does, which sends a flush again until it is told that it counts.
  const flushUntilTaken = async (seq: number) => {
    for (let tries = 1; ; tries += 1)
      try {
        return await flush(seq);
      } catch (error) {
        if (tries === 5) throw error;
      }
  };
  const placesOf = (table: string) =>
    sqlRows<{ place: string; views: number }>(
      `SELECT tableoid::regclass::text AS place, views::int FROM ${table} WHERE video_id = $1 ORDER BY 1`,
      [video.uuid],
    );

  await flush(1);
  expect(new Set((await placesOf('video_view_minutes')).map(({ place }) => place))).toEqual(
    new Set(['video_view_minutes_default']),
  );
  await maintainDatabase(ctx);
  const making = [7, 8, 9, 10].map((months) => sqlRows('SELECT keep_monthly_partitions($1)', [months]));
  const flushing = (async () => {
    for (let seq = 2; seq <= 12; seq += 1) await flushUntilTaken(seq);
  })();
  await Promise.allSettled(making);
  await flushing;
  await sqlRows('SELECT keep_monthly_partitions(10)');
  await flush(13);
  for (const table of ['video_view_days', 'video_view_parts', 'video_view_minutes'])
    expect(await placesOf(table), table).toEqual(
      days.map((day) => ({ place: `${table}_${day.slice(0, 7).replace('-', '_')}`, views: 13 })),
    );
});
